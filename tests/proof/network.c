/* Rooms: network
 * Models: ip number
 * Limits: NETWORK_TEXT_MAX=4
 * Octets: followed
 * Texts up to LENGTH octets before their NUL, which is more than fits; any
 * network and address. */
#include "network.h"

#include "prove.h"

enum { LENGTH = 7 };

/* length octets and a NUL. */
static char *
string(size_t length)
{
	char *text = octets(length + 1);

	text[length] = '\0';
	return text;
}

static void
address(size_t length)
{
	struct ip ip;

	(void)ip_parse(string(length), &ip);
}

static void
loopback(void)
{
	struct ip ip;

	ANYTHING(ip);
	(void)ip_is_loopback(&ip);
}

static void
parse(size_t length)
{
	struct network network;

	if (network_parse(string(length), &network))
		//@ assert network.prefix <= 128;
		(void)network.prefix;
}

static void
has(unsigned prefix)
{
	struct network network = {.prefix = prefix};
	struct ip ip;

	ANYTHING(network.ip);
	ANYTHING(ip);
	(void)network_has(&network, &ip);
}

void
prove(void)
{
	//@ loop unroll 99;
	for (size_t length = 0; length <= LENGTH; length++) {
		address(length);
		parse(length);
	}
	loopback();
	//@ loop unroll 999;
	for (unsigned prefix = 0; prefix <= 128; prefix++)
		has(prefix);
}
