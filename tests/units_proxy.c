/* Units of the PROXY header. */
#include "proxy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "units.h"

/* Version 2, length high octet 0: command, protocol, length. */
#define BINARY(command, protocol, length) \
	"\r\n\r\n\0\r\nQUIT\n" command protocol "\0" length
/* 192.0.2.1 port 4660 to 198.51.100.2 port 25 */
#define V4 "\xC0\0\2\1\xC6\x33\x64\2\x12\x34\0\x19"
#define V4_TEXT "192.0.2.1 4660 198.51.100.2 25"
#define LO "\x7F\0\0\1\x7F\0\0\1"
#define V6 \
	"\x20\1\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\1" \
	"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\xFF\xFF\0\0"
#define MAPPED \
	"\0\0\0\0\0\0\0\0\0\0\xFF\xFF\xC0\0\2\1" \
	"\0\0\0\0\0\0\0\0\0\0\xFF\xFF\xC6\x33\x64\2\x12\x34\0\x19"
#define CRC_ALONE "\xa9\x44\x0d\xc1"
#define CRC_AMID "\xce\x62\x69\x55"
#define X27 "xxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X108 X27 X27 X27 X27

static const struct {
	const char *text;
	size_t length;
	const char *is; /* NULL: bad */
} rows[] = {
    {TEXT("PROXY TCP4 192.0.2.1 198.51.100.2 4660 25\r\n"), V4_TEXT},
    {TEXT("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n"),
	"255.255.255.255 65535 255.255.255.255 65535"},
    {TEXT("PROXY TCP4 0.0.0.0 0.0.0.0 0 0\r\n"), "0.0.0.0 0 0.0.0.0 0"},
    {TEXT("PROXY TCP6 2001:DB8::1 ::1 65535 0\r\n"), "2001:db8::1 65535 ::1 0"},
    {TEXT("PROXY TCP6 ::ffff:192.0.2.1 ::ffff:c633:6402 4660 25\r\n"), V4_TEXT},
    {TEXT("PROXY UNKNOWN\r\n"), "unknown"},
    {TEXT("PROXY UNKNOWN junk\r\n"), "unknown"},
    {TEXT("PROXY UNKNOWN \r\n"), "unknown"},
    {TEXT("PROXY UNKNOWN \0\xFF  1 2 3 4 5 6 7 8 9\r\n"), "unknown"},
    {TEXT("PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
	  "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"),
	"unknown"},
    /* 108 octets */
    {TEXT("PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
	  "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 655355\r\n"),
	NULL},
    {TEXT("PROXY TCP4 1.1.1.1 2.2.2.2 1 99999\r\n"), NULL},
    {TEXT("PROXY TCP4 1.1.1.1 2.2.2.2 65536 1\r\n"), NULL},
    {TEXT("PROXY TCP4 1.1.1.1 2.2.2.2 1 65536\r\n"), NULL},
    {TEXT("PROXY TCP4 1.1.1.1 2.2.2.2 01 1\r\n"), NULL},
    {TEXT("PROXY TCP4 1.1.1.1 2.2.2.2 1 00\r\n"), NULL},
    {TEXT("PROXY TCP4 1.1.1.1 2.2.2.2 +1 1\r\n"), NULL},
    {TEXT("PROXY TCP4 1.1.1.1 2.2.2.2 1 -1\r\n"), NULL},
    {TEXT("PROXY TCP4 1.1.1.1 2.2.2.2 0x1 1\r\n"), NULL},
    {TEXT("PROXY TCP4 1.1.1.1 2.2.2.2 1 1 \r\n"), NULL},
    {TEXT("PROXY TCP4 1.1.1.1 2.2.2.2 1 1 1\r\n"), NULL},
    {TEXT("PROXY TCP4 1.1.1.1 2.2.2.2 1 \r\n"), NULL},
    {TEXT("PROXY TCP4 1.1.1.1 2.2.2.2 1\r\n"), NULL},
    {TEXT("PROXY TCP4 1.1.1.1 2.2.2.2  1 1\r\n"), NULL},
    {TEXT("PROXY  TCP4 1.1.1.1 2.2.2.2 1 1\r\n"), NULL},
    {TEXT("PROXY\tTCP4 1.1.1.1 2.2.2.2 1 1\r\n"), NULL},
    {TEXT("PROXY TCP4 1.1.1.1 2.2.2.2 1 1\0\r\n"), NULL},
    {TEXT("PROXY TCP4 01.1.1.1 2.2.2.2 1 1\r\n"), NULL},
    {TEXT("PROXY TCP4 1.1.1.256 2.2.2.2 1 1\r\n"), NULL},
    {TEXT("PROXY TCP4 1.1.1.1 2.2.2 1 1\r\n"), NULL},
    {TEXT("PROXY TCP4 ::1 ::1 1 1\r\n"), NULL},
    {TEXT("PROXY TCP4 1.1.1.1 ::1 1 1\r\n"), NULL},
    {TEXT("PROXY TCP6 1.1.1.1 2.2.2.2 1 1\r\n"), NULL},
    {TEXT("PROXY TCP6 ::1 2.2.2.2 1 1\r\n"), NULL},
    {TEXT("PROXY TCP6 ::1%lo ::1 1 1\r\n"), NULL},
    {TEXT("PROXY TCP6 [::1] [::1] 1 1\r\n"), NULL},
    {TEXT("PROXY TCP 1.1.1.1 2.2.2.2 1 1\r\n"), NULL},
    {TEXT("PROXY UDP4 1.1.1.1 2.2.2.2 1 1\r\n"), NULL},
    {TEXT("PROXY tcp4 1.1.1.1 2.2.2.2 1 1\r\n"), NULL},
    {TEXT("PROXY TCP4\r\n"), NULL},
    {TEXT("PROXY UNKNOWNS\r\n"), NULL},
    {TEXT("PROXY unknown\r\n"), NULL},
    {TEXT("PROXY \r\n"), NULL},
    {TEXT("PROXY\r\n"), NULL},
    {TEXT("PROXY \n"), NULL},
    {TEXT("proxy UNKNOWN\r\n"), NULL},
    {TEXT("PROXY UNKNOWN\n"), NULL},
    {TEXT("PROXY UNKNOWN\rx"), NULL},
    {TEXT("PROXY UNKNOWN a\nb\r\n"), NULL},
    {TEXT("PROXY UNKNOWN a\r\r\n"), NULL},
    {TEXT("PROXY TCP4 1.2.3.4\rEHLO x\r\n"), NULL}, /* CVE-2023-42117 Exim */
    {TEXT("PROXY TCP4 1.1.1.1 2.2.2.2 1 1\n"), NULL},
    {TEXT("EHLO example.org\r\n"), NULL},
    {TEXT("GET / HTTP/1.0\r\n"), NULL},
    {TEXT("\x16\x03\x01\x02"), NULL},
    {TEXT("\r\nEHLO"), NULL},
    {TEXT("\r\n\r\nEHLO"), NULL},
    {TEXT("\r\n\r\n\0\r\nQUIT\r\n"), NULL},

    {TEXT(BINARY("\x21", "\x11", "\xc") V4), V4_TEXT},
    {TEXT(BINARY("\x21", "\x21", "\x24") V6), "2001:db8::1 65535 ::1 0"},
    {TEXT(BINARY("\x21", "\x21", "\x24") MAPPED), V4_TEXT},
    {TEXT(BINARY("\x21", "\x31", "\xd8") X108 X108), "unix"},
    {TEXT(BINARY("\x21", "\0", "\0")), "unknown"},
    {TEXT(BINARY("\x21", "\0", "\4") "\x4\0\1x"), "unknown"},
    /* Health checks: what follows a LOCAL means nothing. */
    {TEXT(BINARY("\x20", "\0", "\0")), "local"},
    {TEXT(BINARY("\x20", "\x11", "\xc") V4), "local"},
    {TEXT(BINARY("\x20", "\xFF", "\3") "abc"), "local"},
    /* Room for the addresses, and for one octet less. */
    {TEXT(BINARY("\x21", "\x11", "\xb") V4), NULL},
    {TEXT(BINARY("\x21", "\x21", "\x23") V6), NULL},
    {TEXT(BINARY("\x21", "\x31", "\xd7") X108 X108), NULL},
    {TEXT(BINARY("\x21", "\x11", "\0")), NULL},
    /* Datagrams, and what is no protocol. */
    {TEXT(BINARY("\x21", "\x12", "\xc") V4), NULL},
    {TEXT(BINARY("\x21", "\x22", "\x24") V6), NULL},
    {TEXT(BINARY("\x21", "\x32", "\xd8") X108 X108), NULL},
    {TEXT(BINARY("\x21", "\x10", "\xc") V4), NULL},
    {TEXT(BINARY("\x21", "\x01", "\0")), NULL},
    {TEXT(BINARY("\x21", "\x13", "\xc") V4), NULL},
    {TEXT(BINARY("\x21", "\x41", "\xc") V4), NULL},
    /* Commands and versions. */
    {TEXT(BINARY("\x22", "\x11", "\xc") V4), NULL},
    {TEXT(BINARY("\x11", "\x11", "\xc") V4), NULL},
    {TEXT(BINARY("\x31", "\x11", "\xc") V4), NULL},
    {TEXT(BINARY("\x01", "\x11", "\xc") V4), NULL},
    {TEXT("\r\n\r\n\0\r\nQUIT\n\x21\x11\xFF\xFF"), NULL},
    {TEXT("\r\n\r\n\0\r\nQUIT\n\x20\x11\xFF\xFF"), NULL},
    /* Vectors. */
    {TEXT(BINARY("\x21", "\x11", "\xf") V4 "\4\0\0"), V4_TEXT},
    {TEXT(BINARY("\x21", "\x11", "\x14") V4 "\1\0\1h\xE5\0\1z"), V4_TEXT},
    {TEXT(BINARY("\x21", "\x11", "\xd") V4 "\4"), NULL},
    {TEXT(BINARY("\x21", "\x11", "\xe") V4 "\4\0"), NULL},
    {TEXT(BINARY("\x21", "\x11", "\xf") V4 "\4\0\1"), NULL},
    {TEXT(BINARY("\x21", "\x11", "\x10") V4 "\4\1\0x"), NULL},
    {TEXT(BINARY("\x21", "\x11", "\x10") V4 "\4\xFF\xFFx"), NULL},
    {TEXT(BINARY("\x21", "\0", "\3") "\4\0\1"), NULL},
    /* CRC32C; its field is counted as zeros. */
    {TEXT(BINARY("\x21", "\x11", "\x13") V4 "\3\0\4" CRC_ALONE), V4_TEXT},
    {TEXT(
	 BINARY("\x21", "\x11", "\x1c") V4 "\2\0\3a.b\3\0\4" CRC_AMID "\4\0\0"),
	V4_TEXT},
    {TEXT(
	 BINARY("\x21", "\x11", "\x1c") V4 "\2\0\3a.c\3\0\4" CRC_AMID "\4\0\0"),
	NULL},
    {TEXT(BINARY("\x21", "\x11", "\x13") V4 "\3\0\4\0\0\0\0"), NULL},
    {TEXT(BINARY("\x21", "\x11", "\x12") V4 "\3\0\3abc"), NULL},
    {TEXT(BINARY("\x21", "\x11", "\x14") V4 "\3\0\5abcde"), NULL},
    /* TLS. */
    {TEXT(BINARY("\x21", "\x11", "\x14") V4 "\x20\0\5\1\0\0\0\1"),
	V4_TEXT " tls"},
    {TEXT(BINARY("\x21", "\x11", "\x14") V4 "\x20\0\5\7\0\0\0\0"),
	V4_TEXT " tls"},
    {TEXT(BINARY("\x21", "\x11", "\x14") V4 "\x20\0\5\6\0\0\0\0"), V4_TEXT},
    {TEXT(BINARY("\x21", "\x11", "\x28") V4 "\x20\0\x19\1\0\0\0\1"
					    "\x22\0\1n\x21\0\7TLSv1.3"
					    "\x23\0\3A-B"),
	V4_TEXT " tls TLSv1.3 A-B"},
    {TEXT(BINARY("\x21", "\x11", "\x13") V4 "\x20\0\4\1\0\0\0"), NULL},
    {TEXT(BINARY("\x21", "\x11", "\x17") V4 "\x20\0\x8\1\0\0\0\1\x21\0\1"),
	NULL},
    {TEXT(BINARY("\x21", "\x11", "\x15") V4 "\x20\0\6\1\0\0\0\1\x21"), NULL},
    {TEXT(BINARY("\x21", "\x11", "\x19") V4 "\x20\0\xa\1\0\0\0\1\x21\0\2"
					    "a\n"),
	NULL},
    {TEXT(BINARY("\x21", "\x11", "\x19") V4 "\x20\0\xa\1\0\0\0\1\x23\0\2"
					    "a "),
	NULL},
    {TEXT(BINARY("\x21", "\x11", "\x19") V4 "\x20\0\xa\1\0\0\0\1\x21\0\2"
					    "\0a"),
	NULL},
    /* As haproxy 2.6 wrote them. */
    {TEXT(BINARY("\x21", "\x11", "\x16") LO "\x8c\x04\xc5\xa7\3\0\4"
					    "\xad\x7f\x8f\xde\5\0\0"),
	"127.0.0.1 35844 127.0.0.1 50599"},
    {TEXT(BINARY("\x21", "\x11", "d") LO "\xa8(\xa3\x97\3\0\4m\x94\xc9\xd4"
					 "\2\0\xc"
					 "mail.example"
					 "\x20\0?\1\0\0\0\0\x21\0\7TLSv1.3"
					 "\x25\0\7RSA2048"
					 "\x24\0\nRSA-SHA256"
					 "\x23\0\x16TLS_AES_256_GCM_SHA384"),
	"127.0.0.1 43048 127.0.0.1 41879 tls TLSv1.3 TLS_AES_256_GCM_SHA384"},
    /* Outside of PP2_TYPE_SSL these types mean nothing, inside CRC32C. */
    {TEXT(BINARY("\x21", "\x11", "\x10") V4 "\x21\0\1\n"), V4_TEXT},
    {TEXT(BINARY("\x21", "\x11", "\x18") V4 "\x20\0\x9\1\0\0\0\1\3\0\1x"),
	V4_TEXT " tls"},
};

/* As rows has it. */
static const char *
describe(const struct proxy *proxy)
{
	static char text[512];
	char source[IP_TEXT_MAX], destination[IP_TEXT_MAX];
	int n;

	if (proxy->local)
		return "local";
	if (proxy->family != PROXY_TCP)
		return proxy->family == PROXY_UNIX ? "unix" : "unknown";
	ip_format(&proxy->source, source);
	ip_format(&proxy->destination, destination);
	n = sprintf(text, "%s %u %s %u", source, proxy->source_port,
	    destination, proxy->destination_port);
	if (proxy->tls)
		n += sprintf(text + n, " tls");
	if (proxy->tls_version[0])
		sprintf(
		    text + n, " %s %s", proxy->tls_version, proxy->tls_cipher);
	return text;
}

/* Feeds text in pieces of up to so many octets, each a copy of its own. */
static enum proxy_step
feed(struct proxy *proxy, const char *text, size_t length, size_t piece,
    size_t *taken)
{
	enum proxy_step step = PROXY_MORE;
	size_t at = 0, n, used;

	memset(proxy, 0, sizeof *proxy);
	while (at < length && step == PROXY_MORE) {
		char *copy;

		n = 1 + chance((unsigned)piece);
		if (n > length - at)
			n = length - at;
		copy = exactly(text + at, n);
		step = proxy_take(proxy, copy, n, &used);
		CHECK_AT(step == PROXY_MORE ? used == n : used <= n, at);
		free(copy);
		at += used;
	}
	*taken = at;
	return step;
}

static void
headers(void)
{
	static const size_t pieces[] = {1, 2, 7, 16, 4096};
	struct proxy proxy;
	size_t taken, used = 9;

	for (size_t i = 0; i < ROWS(rows); i++) {
		for (size_t j = 0; j < ROWS(pieces); j++) {
			enum proxy_step step = feed(&proxy, rows[i].text,
			    rows[i].length, pieces[j], &taken);

			if (!rows[i].is) {
				CHECK_AT(step == PROXY_BAD, i);
				continue;
			}
			CHECK_AT(step == PROXY_DONE, i);
			CHECK_AT(taken == rows[i].length, i);
			CHECK_AT(strcmp(describe(&proxy), rows[i].is) == 0, i);
		}
		/* It stays so, and takes nothing more. */
		CHECK_AT(proxy_take(&proxy, "x", 1, &used) ==
			     (rows[i].is ? PROXY_DONE : PROXY_BAD),
		    i);
		CHECK_AT(used == 0, i);
	}
}

/* What is behind a header is not taken, whatever it is. */
static void
behind_a_header(void)
{
	static const char next[] = "EHLO x\r\nPROXY UNKNOWN\r\n";
	struct proxy proxy;
	char text[1024];
	size_t taken;

	for (size_t i = 0; i < ROWS(rows); i++) {
		size_t n = rows[i].length;

		if (!rows[i].is)
			continue;
		memcpy(text, rows[i].text, n);
		memcpy(text + n, next, sizeof next);
		CHECK_AT(feed(&proxy, text, n + sizeof next, 4096, &taken) ==
			     PROXY_DONE,
		    i);
		CHECK_AT(taken == n, i);
		for (size_t cut = 0; cut < n; cut++)
			CHECK_AT(
			    feed(&proxy, text, cut, 4096, &taken) == PROXY_MORE,
			    i);
	}
}

/* A header with octets behind its first 16, all but the addresses in one
 * vector. */
static enum proxy_step
of_length(size_t follow)
{
	static const char head[] = BINARY("\x21", "\x11", "");
	char *text = calloc(1, PROXY_BINARY_HEAD + follow);
	struct proxy proxy;
	enum proxy_step step;
	size_t taken;

	if (!text)
		abort();
	memcpy(text, head, 14);
	text[14] = (char)(follow >> 8);
	text[15] = (char)follow;
	text[28] = '\xEE';
	text[29] = (char)((follow - 15) >> 8);
	text[30] = (char)(follow - 15);
	step = feed(&proxy, text, PROXY_BINARY_HEAD + follow, 4096, &taken);
	CHECK(step != PROXY_DONE || taken == PROXY_BINARY_HEAD + follow);
	/* What is too long is so before it has come. */
	CHECK(step != PROXY_BAD || taken == PROXY_BINARY_HEAD);
	free(text);
	return step;
}

/* A name of n octets, as version of TLS or as cipher. */
static enum proxy_step
with_name(char type, size_t n)
{
	char text[256] = BINARY("\x21", "\x11", "");
	struct proxy proxy;
	enum proxy_step step;
	size_t taken;

	text[15] = (char)(12 + 3 + 5 + 3 + n);
	memcpy(text + 28, (char[]){0x20, 0, (char)(8 + n), 1}, 4);
	memcpy(text + 36, (char[]){type, 0, (char)n}, 3);
	memset(text + 39, 'x', n);
	step = feed(&proxy, text, 39 + n, 4096, &taken);
	CHECK(step != PROXY_DONE ||
	      strlen(proxy.tls_version) + strlen(proxy.tls_cipher) == n);
	return step;
}

static void
limits(void)
{
	char text[200];
	struct proxy proxy;
	size_t taken;

	CHECK(of_length(PROXY_BINARY_MAX) == PROXY_DONE);
	CHECK(of_length(PROXY_BINARY_MAX + 1) == PROXY_BAD);
	CHECK(with_name(0x21, PROXY_TLS_MAX) == PROXY_DONE);
	CHECK(with_name(0x21, PROXY_TLS_MAX + 1) == PROXY_BAD);
	CHECK(with_name(0x23, PROXY_TLS_MAX) == PROXY_DONE);
	CHECK(with_name(0x23, PROXY_TLS_MAX + 1) == PROXY_BAD);
	/* No end in sight: bad at the last octet that could end it. */
	memset(text, 'x', sizeof text);
	memcpy(text, "PROXY UNKNOWN ", 14);
	CHECK(feed(&proxy, text, 106, 1, &taken) == PROXY_MORE);
	CHECK(feed(&proxy, text, 107, 1, &taken) == PROXY_BAD);
	CHECK(feed(&proxy, text, sizeof text, 4096, &taken) == PROXY_BAD);
	CHECK(taken == PROXY_TEXT_MAX);
	CHECK(feed(&proxy, text, 0, 1, &taken) == PROXY_MORE);
}

/* Good headers with octets changed: read whole and in pieces alike, and never
 * beyond what came. */
static void
damaged(void)
{
	static struct proxy whole, pieces;
	char text[512];
	size_t a, b;

	for (unsigned round = 0; round < 20000; round++) {
		size_t i = chance(ROWS(rows)), n = rows[i].length;
		enum proxy_step step;

		memcpy(text, rows[i].text, n);
		for (unsigned j = chance(4); j > 0; j--)
			text[chance((unsigned)n)] =
			    (char)(chance(3) ? chance(256) : chance(64));
		step = feed(&whole, text, n, 4096, &a);
		CHECK_AT(feed(&pieces, text, n, 3, &b) == step, round);
		CHECK_AT(a == b, round);
		CHECK_AT(step == PROXY_BAD ||
			     memcmp(&whole, &pieces, sizeof whole) == 0,
		    round);
	}
}

void
units_proxy(void)
{
	headers();
	behind_a_header();
	limits();
	damaged();
}
