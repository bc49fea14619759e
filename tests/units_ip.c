/* Units of IP addresses and networks, compared with the libc's. */
#include "ip.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "network.h"
#include "units.h"

static const struct {
	const char *text;
	const char *v4; /* as it is written again; NULL: not read */
	const char *v6;
} rows[] = {
    {"0.0.0.0", "0.0.0.0", NULL},
    {"255.255.255.255", "255.255.255.255", NULL},
    {"192.0.2.10", "192.0.2.10", NULL},
    {"", NULL, NULL},
    {"256.0.0.1", NULL, NULL},
    {"1.2.3", NULL, NULL},
    {"1.2.3.", NULL, NULL},
    {"1.2.3.4.", NULL, NULL},
    {"1.2.3.4.5", NULL, NULL},
    {"1..3.4", NULL, NULL},
    {"01.2.3.4", NULL, NULL},
    {"1.2.3.00", NULL, NULL},
    {"1.2.3.0004", NULL, NULL},
    {"1.2.3.+4", NULL, NULL},
    {" 1.2.3.4", NULL, NULL},
    {"1.2.3.4 ", NULL, NULL},
    {"0x1.2.3.4", NULL, NULL},
    {"16909060", NULL, NULL},
    {"::", NULL, "::"},
    {"::1", NULL, "::1"},
    {"1::", NULL, "1::"},
    {"2001:DB8::00AB", NULL, "2001:db8::ab"},
    {"1:2:3:4:5:6:7:8", NULL, "1:2:3:4:5:6:7:8"},
    {"1:2:3:4:5:6:7::", NULL, "1:2:3:4:5:6:7:0"},
    {"::2:3:4:5:6:7:8", NULL, "0:2:3:4:5:6:7:8"},
    {"1:0:0:4:5:0:0:8", NULL, "1::4:5:0:0:8"},
    {"1:0:0:4:0:0:0:8", NULL, "1:0:0:4::8"},
    {"1:0:3:4:5:6:7:8", NULL, "1:0:3:4:5:6:7:8"},
    {"0:0:3:4:5:6:0:0", NULL, "::3:4:5:6:0:0"},
    {"::ffff:192.0.2.1", NULL, "192.0.2.1"},
    {"::FFFF:c000:201", NULL, "192.0.2.1"},
    {"::192.0.2.1", NULL, "::c000:201"},
    {"64:ff9b::192.0.2.1", NULL, "64:ff9b::c000:201"},
    {"1:2:3:4:5:6:192.0.2.1", NULL, "1:2:3:4:5:6:c000:201"},
    {"::2:3:4:5:6:192.0.2.1", NULL, "0:2:3:4:5:6:c000:201"},
    {":", NULL, NULL},
    {":::", NULL, NULL},
    {":1", NULL, NULL},
    {"1:", NULL, NULL},
    {"::1:", NULL, NULL},
    {":1::", NULL, NULL},
    {"1::2::3", NULL, NULL},
    {"1:2:3:4:5:6:7", NULL, NULL},
    {"1:2:3:4:5:6:7:8:9", NULL, NULL},
    {"1:2:3:4:5:6:7::8", NULL, NULL},
    {"1:2:3:4:5:6:7:8::", NULL, NULL},
    {"1:2:3:4:5:6:7:1.2.3.4", NULL, NULL},
    {"::2:3:4:5:6:7:1.2.3.4", NULL, NULL},
    {"1.2.3.4::", NULL, NULL},
    {"::1.2.3.4:5", NULL, NULL},
    {"::1.2.3", NULL, NULL},
    {"::01.2.3.4", NULL, NULL},
    {"12345::", NULL, NULL},
    {"::00001", NULL, NULL},
    {"::g", NULL, NULL},
    {"::1%eth0", NULL, NULL},
    {"[::1]", NULL, NULL},
    {"::1 ", NULL, NULL},
};

/* What text is read as and written again; NULL if it is not read. */
static const char *
again(bool (*reads)(const char *, size_t, struct ip *), const char *text,
    char out[IP_TEXT_MAX])
{
	size_t length = strlen(text);
	char *copy = exactly(text, length);
	struct ip ip;
	bool good = reads(copy, length, &ip);

	free(copy);
	if (!good)
		return NULL;
	ip_format(&ip, out);
	return out;
}

static bool
same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static void
texts(void)
{
	char out[IP_TEXT_MAX];

	for (size_t i = 0; i < ROWS(rows); i++) {
		CHECK_AT(
		    same(again(ip_read_v4, rows[i].text, out), rows[i].v4), i);
		CHECK_AT(
		    same(again(ip_read_v6, rows[i].text, out), rows[i].v6), i);
	}
}

static void
addresses_are_left_alone(void)
{
	struct ip ip = {{1, 2}}, before = ip;

	CHECK(!ip_read_v4("1.2.3.999", 9, &ip));
	CHECK(!ip_read_v6("1:2:3::x", 8, &ip));
	CHECK(memcmp(&ip, &before, sizeof ip) == 0);
	CHECK(!ip_is_v4(&ip));
	CHECK(ip_read_v4("1.2.3.4", 7, &ip) && ip_is_v4(&ip));
	CHECK(ip_read_v6("::ffff:1.2.3.4", 14, &ip) && ip_is_v4(&ip));
	CHECK(ip_read_v6("::1.2.3.4", 9, &ip) && !ip_is_v4(&ip));
}

/* glibc writes these few with IPv4 at the end, musl does not. */
static bool
compatible(const struct ip *ip)
{
	static const unsigned char zeros[12];

	return memcmp(ip->octets, zeros, sizeof zeros) == 0;
}

static void
libc_writes_the_same(void)
{
	char ours[IP_TEXT_MAX], theirs[INET6_ADDRSTRLEN];

	for (unsigned round = 0; round < 20000; round++) {
		struct ip ip, read;

		for (size_t i = 0; i < sizeof ip.octets; i += 2) {
			unsigned bits = chance(6) ? 0 : chance(0x10000);
			ip.octets[i] = (unsigned char)(bits >> chance(9));
			ip.octets[i + 1] = (unsigned char)bits;
		}
		if (compatible(&ip))
			continue;
		ip_format(&ip, ours);
		if (!ip_is_v4(&ip)) {
			inet_ntop(AF_INET6, &ip, theirs, sizeof theirs);
			CHECK_AT(strcmp(ours, theirs) == 0, round);
			CHECK_AT(ip_read_v6(ours, strlen(ours), &read), round);
			CHECK_AT(memcmp(&read, &ip, sizeof ip) == 0, round);
		}
	}
}

static void
libc_reads_the_same(void)
{
	static const char *const parts[] = {":", "::", ":", ".", "0", "1", "f",
	    "12", "1.2.3.4", "abcd", "255", "256", "00", "g", "ffff", "10000"};

	for (unsigned round = 0; round < 200000; round++) {
		char text[128] = "", *copy;
		unsigned n = chance(18);
		struct ip ip = {{0}}, other = {{0}};
		size_t length;

		for (unsigned i = 0; i < n; i++)
			strcat(text, parts[chance(i % 2 ? 4 : ROWS(parts))]);
		length = strlen(text);
		copy = exactly(text, length);
		CHECK_AT(ip_read_v6(copy, length, &ip) ==
			     (inet_pton(AF_INET6, text, &other) == 1),
		    round);
		CHECK_AT(memcmp(&ip, &other, sizeof ip) == 0, round);
		CHECK_AT(ip_read_v4(copy, length, &ip) ==
			     (inet_pton(AF_INET, text, &other) == 1),
		    round);
		free(copy);
	}
}

static const struct {
	const char *network;
	const char *ip;
	bool has;
} networks[] = {
    {"192.0.2.1", "192.0.2.1", true},
    {"192.0.2.1", "192.0.2.2", false},
    {"192.0.2.0/24", "192.0.2.255", true},
    {"192.0.2.0/24", "192.0.3.0", false},
    {"192.0.2.8/29", "192.0.2.15", true},
    {"192.0.2.8/29", "192.0.2.16", false},
    {"0.0.0.0/0", "203.0.113.9", true},
    {"0.0.0.0/0", "::1", false},
    {"::/0", "::1", true},
    {"::/0", "203.0.113.9", false},
    {"2001:db8::/33", "2001:db8:7fff::1", true},
    {"2001:db8::/33", "2001:db8:8000::1", false},
    {"[2001:db8::1]", "2001:db8::1", true},
    {"::ffff:192.0.2.0/120", "192.0.2.9", true},
    {"::ffff:192.0.2.0/24", "192.0.2.9", false},
};

static void
networks_have_addresses(void)
{
	struct network network;
	struct ip ip;

	for (size_t i = 0; i < ROWS(networks); i++) {
		CHECK_AT(network_parse(networks[i].network, &network), i);
		CHECK_AT(ip_parse(networks[i].ip, &ip), i);
		CHECK_AT(network_has(&network, &ip) == networks[i].has, i);
	}
	CHECK(network_parse("1.2.3.4/32", &network));
	CHECK(!network_parse("1.2.3.4/33", &network));
	CHECK(network_parse("::/128", &network));
	CHECK(!network_parse("::/129", &network));
	CHECK(!network_parse("::/", &network));
	CHECK(!network_parse("1.2.3.4/-1", &network));
	CHECK(!network_parse("example.org", &network));
	CHECK(!network_parse("", &network));
	/* As long as fits with brackets, and longer. */
	CHECK(!network_parse(
	    "[ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.2555]", &network));
	CHECK(!network_parse(
	    "1:2:3:4:5:6:7:8:9:a:b:c:d:e:f:1:2:3:4:5:6:7:8:9/128", &network));
	CHECK(ip_parse("[::1]", &ip) && ip_is_loopback(&ip));
	CHECK(ip_parse("127.1.2.3", &ip) && ip_is_loopback(&ip));
	CHECK(ip_parse("::ffff:127.0.0.1", &ip) && ip_is_loopback(&ip));
	CHECK(ip_parse("128.0.0.1", &ip) && !ip_is_loopback(&ip));
	CHECK(ip_parse("::2", &ip) && !ip_is_loopback(&ip));
}

void
units_ip(void)
{
	texts();
	addresses_are_left_alone();
	libc_writes_the_same();
	libc_reads_the_same();
	networks_have_addresses();
}
