/* Rooms: proxy
 * Models: ip number
 * With: text utf8
 * Limits: PROXY_BINARY_MAX=44 PROXY_TLS_MAX=2
 * Octets: followed
 * Inlined: next_word
 * Eva: -eva-unroll-recursive-calls 3 -eva-slevel-function checksum:0
 * Split: proxy value.length for (size_t i = 0; i < sizeof vectors
 * What follows "PROXY TCP4 " up to TEXT octets; headers of version 2 with
 * addresses of IPv4 and up to VECTORS octets behind them. */
#include "proxy.h"

#include "prove.h"

enum { TEXT = 8, VECTORS = 12 };

/* What follows may be anything. */
static void
once(struct proxy *proxy, size_t length)
{
	size_t used;

	(void)proxy_take(proxy, octets(length), length, &used);
	//@ assert used <= length;
	(void)used;
}

static void
text(size_t length)
{
	struct proxy proxy = {.octets = "PROXY TCP4 ", .length = 11};

	once(&proxy, length);
}

/* Its last octet is to come. */
static void
binary(char command, char protocol, size_t length)
{
	struct proxy proxy = {.octets = "\r\n\r\n\0\r\nQUIT\n"};

	proxy.octets[12] = command;
	proxy.octets[13] = protocol;
	proxy.octets[14] = 0;
	proxy.octets[15] = (char)length;
	proxy.length = 15 + length;
	Frama_C_make_unknown(proxy.octets + 16, length);
	once(&proxy, 2);
}

void
prove(void)
{
	//@ loop unroll 99;
	for (size_t length = 0; length <= TEXT; length++)
		text(length);
	//@ loop unroll 99;
	for (size_t n = 0; n <= VECTORS; n++)
		binary(0x21, 0x11, 12 + n);
	binary(0x21, 0x11, 11);
	binary(0x21, 0x21, 36);
	binary(0x20, (char)any_int(-128, 127), 3);
	binary(0x21, 0, 1);
}
