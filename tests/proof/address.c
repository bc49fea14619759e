/* Rooms: address
 * With: number text utf8
 * Texts up to LENGTH octets. */
#include "address.h"

#include "prove.h"

enum { LENGTH = 14 };

static void
look(const struct address *address)
{
	(void)address_routes(address);
	if (address->domain_length > 0)
		(void)address->domain[address->domain_length - 1];
}

static void
once(size_t length, bool utf8)
{
	const char *text = octets(length);
	struct address address;

	if (address_parse(text, length, utf8, &address) > 0)
		look(&address);
	if (path_parse(text, length, utf8, &address) > 0)
		look(&address);
	(void)domain_valid(text, length, utf8);
}

void
prove(void)
{
	//@ loop unroll 99;
	for (size_t length = 0; length <= LENGTH; length++) {
		once(length, false);
		once(length, true);
	}
}
