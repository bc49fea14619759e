/* Rooms: dsn
 * With: address number text utf8 xtext
 * Values up to LENGTH octets. */
#include "dsn.h"

#include "prove.h"

enum { LENGTH = 14 };

static void
once(size_t length)
{
	const char *text = octets(length);

	(void)dsn_notify(text, length);
	(void)dsn_ret(text, length);
	(void)dsn_envid(text, length);
}

void
prove(void)
{
	//@ loop unroll 99;
	for (size_t length = 0; length <= LENGTH; length++) {
		once(length);
		//@ loop unroll 99;
		for (int utf8 = 0; utf8 <= 1; utf8++) {
			(void)dsn_orcpt(octets(length), length, utf8 != 0);
			(void)dsn_auth(octets(length), length, utf8 != 0);
		}
	}
}
