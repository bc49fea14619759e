/* Inside: address
 * With: number
 * Models: text
 * Texts up to LENGTH octets, literals up to LITERAL. */
#include <address.c>

#include "prove.h"

enum { LENGTH = 5, LITERAL = 11 };

static void
parse(size_t length, bool utf8)
{
	const char *text = octets(length);
	struct address address;

	if (address_parse(text, length, utf8, &address) > 0) {
		(void)address_routes(&address);
		if (address.domain_length > 0)
			(void)address.domain[address.domain_length - 1];
	}
}

static void
path(size_t length, bool utf8)
{
	struct address address;

	(void)path_parse(octets(length), length, utf8, &address);
	(void)domain_valid(octets(length), length, utf8);
}

static void
literal(size_t length)
{
	const char *text = octets(length);

	(void)is_ipv4(text, length);
	(void)is_ipv6(text, length);
	(void)is_general_literal(text, length);
}

static void
whole_literal(size_t length)
{
	(void)address_literal(octets(length), length);
}

void
prove(void)
{
	//@ loop unroll 99;
	for (size_t length = 0; length <= LENGTH; length++) {
		//@ loop unroll 2;
		for (int utf8 = 0; utf8 <= 1; utf8++) {
			parse(length, utf8 != 0);
			path(length, utf8 != 0);
		}
	}
	//@ loop unroll 99;
	for (size_t length = 0; length <= LITERAL; length++) {
		literal(length);
		whole_literal(length);
	}
}
