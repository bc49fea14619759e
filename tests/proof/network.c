/* Rooms: network
 * Models: ip number
 * Limits: NETWORK_TEXT_MAX=4
 * Octets: followed
 * Texts up to LENGTH octets before their NUL, which is more than fits; any
 * network and address. */
#include "network.h"

#include "prove.h"

enum { LENGTH = 7 };

static void
once(size_t length)
{
	char *text = octets(length + 1);
	struct network network;
	struct ip ip;

	text[length] = '\0';
	if (ip_parse(text, &ip))
		(void)ip_is_loopback(&ip);
	if (network_parse(text, &network))
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
	for (size_t length = 0; length <= LENGTH; length++)
		once(length);
	//@ loop unroll 999;
	for (unsigned prefix = 0; prefix <= 128; prefix++)
		has(prefix);
}
