#include "ip.h"

#include <stdint.h>
#include <string.h>

#include "number.h"
#include "text.h"

enum { GROUPS = 8 };

static const unsigned char mapped[12] = {
    [10] = 0xff,
    [11] = 0xff,
};

bool
ip_is_v4(const struct ip *ip)
{
	return memcmp(ip->octets, mapped, sizeof mapped) == 0;
}

/* Four numbers into octets. */
static bool
read_v4(const char *text, size_t length, unsigned char octets[4])
{
	const char *end = text + length;

	for (int part = 0; part < 4; part++) {
		size_t n = 0;
		uint64_t value;

		while (text + n < end && text_is_digit(text[n]))
			n++;
		/* 010 is eight to some and ten to others. */
		if (n > 3 || (n > 1 && *text == '0') ||
		    !number_parse(text, n, 255, &value))
			return false;
		octets[part] = (unsigned char)value;
		text += n;
		if (part < 3 && (text == end || *text++ != '.'))
			return false;
	}
	return text == end;
}

bool
ip_read_v4(const char *text, size_t length, struct ip *ip)
{
	unsigned char octets[4];

	if (length == 0 || !read_v4(text, length, octets))
		return false;
	memcpy(ip->octets, mapped, sizeof mapped);
	memcpy(ip->octets + sizeof mapped, octets, sizeof octets);
	return true;
}

/* One to four hexadecimal digits into two octets; the digits read, or 0. */
static size_t
read_group(const char *text, const char *end, unsigned char octets[2])
{
	unsigned value = 0;
	size_t n = 0;

	for (; text + n < end; n++) {
		char c = text_lower(text[n]);
		if (!text_is_digit(c) && (c < 'a' || c > 'f'))
			break;
		if (n == 4)
			return 0;
		value = value << 4 |
			(unsigned)(text_is_digit(c) ? c - '0' : c - 'a' + 10);
	}
	octets[0] = (unsigned char)(value >> 8);
	octets[1] = (unsigned char)value;
	return n;
}

/*
 * Groups between colons, IPv4 as the last two of them if there is room, into
 * octets. Returns the octets written, room at most; *at is behind the last
 * group: at a colon or the end if all is well. 0 if there is no group.
 */
static size_t
read_groups(
    const char **at, const char *end, unsigned char *octets, size_t room)
{
	const char *text = *at;
	size_t used = 0;

	while (used < room) {
		unsigned char group[2];
		size_t n;

		if (room - used >= 4 &&
		    read_v4(text, (size_t)(end - text), octets + used)) {
			*at = end;
			return used + 4;
		}
		n = read_group(text, end, group);
		if (n == 0)
			return 0;
		memcpy(octets + used, group, sizeof group);
		used += sizeof group;
		text += n;
		*at = text;
		if (end - text < 2 || text[0] != ':' || text[1] == ':')
			break;
		text++;
	}
	return used;
}

bool
ip_read_v6(const char *text, size_t length, struct ip *ip)
{
	const char *end = text + length;
	struct ip front = {{0}}, back = {{0}};
	size_t before = 0, behind = 0;

	if (length < 2)
		return false;
	if (text[0] != ':') {
		before =
		    read_groups(&text, end, front.octets, sizeof front.octets);
		if (before == 0)
			return false;
	}
	if (text == end && before == sizeof front.octets) {
		*ip = front;
		return true;
	}
	/* "::" stands for one group at least. */
	if (end - text < 2 || memcmp(text, "::", 2) != 0 ||
	    before > sizeof front.octets - 2)
		return false;
	text += 2;
	if (text < end) {
		behind = read_groups(
		    &text, end, back.octets, sizeof back.octets - 2 - before);
		if (behind == 0)
			return false;
	}
	if (text != end)
		return false;
	memcpy(
	    front.octets + sizeof front.octets - behind, back.octets, behind);
	*ip = front;
	return true;
}

static unsigned
group_at(const struct ip *ip, size_t i)
{
	return (unsigned)ip->octets[2 * i] << 8 | ip->octets[2 * i + 1];
}

/* The first of the longest runs of zeros (RFC 5952 4.2), from 0 to GROUPS; its
 * groups, 0 if there are no two. */
static size_t
longest_gap(const struct ip *ip, size_t *from)
{
	size_t longest = 1;

	for (size_t i = 0, n; i < GROUPS; i += n + 1) {
		for (n = 0; i + n < GROUPS && group_at(ip, i + n) == 0; n++)
			continue;
		if (n > longest) {
			longest = n;
			*from = i;
		}
	}
	return longest > 1 ? longest : 0;
}

static char *
put_group(char *out, unsigned group)
{
	int shift = 12;

	while (shift > 0 && group >> shift == 0)
		shift -= 4;
	for (; shift >= 0; shift -= 4)
		*out++ = "0123456789abcdef"[group >> shift & 15];
	return out;
}

void
ip_format(const struct ip *ip, char text[IP_TEXT_MAX])
{
	char decimal[NUMBER_TEXT_MAX];
	size_t from = 0, gap;

	if (ip_is_v4(ip)) {
		for (size_t i = sizeof mapped; i < 16; i++) {
			size_t n = number_format(ip->octets[i], decimal);
			memcpy(text, decimal, n);
			text += n;
			*text++ = i < 15 ? '.' : '\0';
		}
		return;
	}
	gap = longest_gap(ip, &from);
	for (size_t i = 0; i < GROUPS; i++) {
		if (gap > 0 && i == from) {
			*text++ = ':';
			i += gap - 1;
			if (i == GROUPS - 1)
				*text++ = ':';
			continue;
		}
		if (i > 0)
			*text++ = ':';
		text = put_group(text, group_at(ip, i));
	}
	*text = '\0';
}
