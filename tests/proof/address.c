/* Inside: address
 * With: number
 * Models: text
 * Texts up to LENGTH octets, literals up to LITERAL. */
#include <address.c>

#include "prove.h"

enum { LENGTH = 5, LITERAL = 11 };

/* What models/address.c relies on. */
static void
look(const char *text, size_t length, size_t n, const struct address *address)
{
	size_t begin = (size_t)(address->text - text);
	size_t domain = (size_t)(address->domain - text);

	//@ assert n <= length;
	//@ assert begin + address->length <= n;
	//@ assert domain + address->domain_length <= n;
	//@ assert address->local_length + address->domain_length <= n;
	(void)address_routes(address);
	(void)begin;
	(void)domain;
}

static void
parse(size_t length, bool utf8)
{
	const char *text = octets(length);
	struct address address;

	size_t n = address_parse(text, length, utf8, &address);

	if (n > 0)
		look(text, length, n, &address);
}

static void
path(size_t length, bool utf8)
{
	const char *text = octets(length);
	struct address address;
	size_t n = path_parse(text, length, utf8, &address);

	if (n > 0)
		look(text, length, n, &address);
	(void)domain_valid(text, length, utf8);
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
