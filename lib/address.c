#include "address.h"

#include <stdint.h>
#include <string.h>

#include "number.h"
#include "text.h"

/* Octets of the character at text if it may stand in an atom (RFC 5321 4.1.2,
 * RFC 5322 3.2.3; with UTF-8, RFC 6531 3.3), else 0. */
static size_t
atom_character(const char *text, size_t length, bool utf8)
{
	if (length == 0)
		return 0;
	if ((unsigned char)*text >= 0x80)
		return utf8 ? text_utf8(text, length) : 0;
	if (text_is_letter(*text) || text_is_digit(*text))
		return 1;
	return *text && strchr("!#$%&'*+-/=?^_`{|}~", *text) ? 1 : 0;
}

/* Dots may stand anywhere: phones and old systems have such addresses. */
static size_t
dot_string(const char *text, size_t length, bool utf8)
{
	size_t at = 0, n;

	while (at < length) {
		n = text[at] == '.'
			? 1
			: atom_character(text + at, length - at, utf8);
		if (n == 0)
			break;
		at += n;
	}
	return at;
}

/* Quoted-string, RFC 5321 4.1.2; the quotes are counted. */
static size_t
quoted_string(const char *text, size_t length, bool utf8)
{
	for (size_t at = 1, n; at < length; at += n) {
		n = 1;
		if (text[at] == '"')
			return at + 1;
		if (text[at] == '\\') {
			if (at + 1 >= length || !text_is_print(text[at + 1]))
				return 0;
			n = 2;
		} else if ((unsigned char)text[at] >= 0x80) {
			n = utf8 ? text_utf8(text + at, length - at) : 0;
			if (n == 0)
				return 0;
		} else if (!text_is_print(text[at])) {
			return 0;
		}
	}
	return 0;
}

/* Letters, digits and underscores, or UTF-8 for an U-label. */
static size_t
domain_character(const char *text, size_t length, bool utf8)
{
	if (length == 0)
		return 0;
	if ((unsigned char)*text >= 0x80)
		return utf8 ? text_utf8(text, length) : 0;
	return text_is_letter(*text) || text_is_digit(*text) || *text == '_';
}

/* sub-domain *("." sub-domain); no label begins or ends with a hyphen. */
static size_t
domain_name(const char *text, size_t length, bool utf8)
{
	size_t at = 0, n;

	for (;;) {
		n = domain_character(text + at, length - at, utf8);
		if (n == 0)
			return 0;
		while (n != 0) {
			at += n;
			while (at < length && text[at] == '-')
				at++;
			n = domain_character(text + at, length - at, utf8);
		}
		if (text[at - 1] == '-')
			return 0;
		if (at == length || text[at] != '.')
			return at;
		at++;
	}
}

static bool
is_ipv4(const char *text, size_t length)
{
	const char *end = text + length;

	for (int part = 0; part < 4; part++) {
		size_t digits = 0;
		uint64_t value;

		while (text + digits < end && text_is_digit(text[digits]))
			digits++;
		if (digits > 3 || !number_parse(text, digits, 255, &value))
			return false;
		text += digits;
		if (part < 3 && (text == end || *text++ != '.'))
			return false;
	}
	return text == end;
}

static bool
is_hex(char c)
{
	c = text_lower(c);
	return text_is_digit(c) || (c >= 'a' && c <= 'f');
}

/* The forms of RFC 4291 2.2: full, with one "::", with IPv4 at the end. */
static bool
is_ipv6(const char *text, size_t length)
{
	const char *end = text + length;
	int groups = 0;
	bool gap = false;

	if (length >= 2 && text[0] == ':' && text[1] == ':') {
		gap = true;
		text += 2;
	}
	while (text < end) {
		size_t digits = 0;

		if (groups <= 6 && is_ipv4(text, (size_t)(end - text)))
			return gap ? groups <= 5 : groups == 6;
		while (text + digits < end && is_hex(text[digits]))
			digits++;
		if (digits == 0 || digits > 4 || ++groups > 8)
			return false;
		text += digits;
		if (text == end)
			break;
		if (*text++ != ':' || text == end)
			return false;
		if (*text == ':') {
			if (gap)
				return false;
			gap = true;
			text++;
		}
	}
	return gap ? groups <= 7 : groups == 8;
}

/* Standardized-tag ":" 1*dcontent */
static bool
is_general_literal(const char *text, size_t length)
{
	size_t tag = 0;

	while (
	    tag < length && (text_is_letter(text[tag]) ||
				text_is_digit(text[tag]) || text[tag] == '-'))
		tag++;
	if (tag == 0 || text[tag - 1] == '-' || tag + 1 >= length ||
	    text[tag] != ':')
		return false;
	for (size_t i = tag + 1; i < length; i++)
		if (text[i] <= ' ' || text[i] > '~' || text[i] == '\\')
			return false;
	return true;
}

/* Octets of an address literal with its brackets (RFC 5321 4.1.3), or 0. */
static size_t
address_literal(const char *text, size_t length)
{
	const char *inside, *close;
	size_t n;

	if (length == 0 || *text != '[')
		return 0;
	inside = text + 1;
	close = memchr(inside, ']', length - 1);
	if (!close)
		return 0;
	n = (size_t)(close - inside);
	if (memchr(inside, '[', n))
		return 0;
	if (n > 5 && text_same(inside, 5, "IPv6:", 5)) {
		if (!is_ipv6(inside + 5, n - 5))
			return 0;
	} else if (!is_ipv4(inside, n) && !is_general_literal(inside, n)) {
		return 0;
	}
	return n + 2;
}

static size_t
domain_parse(const char *text, size_t length, bool utf8)
{
	size_t n;

	if (length == 0)
		return 0;
	n = *text == '[' ? address_literal(text, length)
			 : domain_name(text, length, utf8);
	return n <= ADDRESS_DOMAIN_MAX ? n : 0;
}

bool
domain_valid(const char *text, size_t length, bool utf8)
{
	return length > 0 && domain_parse(text, length, utf8) == length;
}

static bool
has_octet_outside_ascii(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)text[i] >= 0x80)
			return true;
	return false;
}

size_t
address_parse(
    const char *text, size_t length, bool utf8, struct address *address)
{
	size_t local, domain = 0, whole;

	if (length == 0)
		return 0;
	local = *text == '"' ? quoted_string(text, length, utf8)
			     : dot_string(text, length, utf8);
	if (local == 0)
		return 0;
	whole = local;
	if (local < length && text[local] == '@') {
		domain =
		    domain_parse(text + local + 1, length - local - 1, utf8);
		if (domain == 0)
			return 0;
		whole = local + 1 + domain;
	}
	*address = (struct address){
	    .text = text,
	    .length = whole,
	    .local_length = local,
	    .domain = text + whole - domain,
	    .domain_length = domain,
	    .utf8 = has_octet_outside_ascii(text, whole),
	};
	return whole;
}

/* Octets of "@one,@two:", 0 if there is none or it is spelt wrongly. */
static size_t
source_route(const char *text, size_t length, bool utf8)
{
	size_t at = 0;

	for (;;) {
		size_t n;

		if (at >= length || text[at] != '@')
			return 0;
		at++;
		n = domain_parse(text + at, length - at, utf8);
		if (n == 0 || at + n >= length)
			return 0;
		at += n + 1;
		if (text[at - 1] == ':')
			return at;
		if (text[at - 1] != ',')
			return 0;
	}
}

size_t
path_parse(const char *text, size_t length, bool utf8, struct address *address)
{
	size_t at = 1, n;

	if (length == 0)
		return 0;
	if (*text != '<')
		return address_parse(text, length, utf8, address);
	if (length >= 2 && text[1] == '>') {
		*address =
		    (struct address){.text = text + 1, .domain = text + 1};
		return 2;
	}
	if (length >= 2 && text[1] == '@') {
		n = source_route(text + at, length - at, utf8);
		if (n == 0)
			return 0;
		at += n;
	}
	n = address_parse(text + at, length - at, utf8, address);
	if (n == 0 || at + n >= length || text[at + n] != '>')
		return 0;
	return at + n + 1;
}

bool
address_routes(const struct address *address)
{
	for (size_t i = 0; i < address->local_length; i++)
		if (address->text[i] == '%' || address->text[i] == '!' ||
		    address->text[i] == '@')
			return true;
	return false;
}
