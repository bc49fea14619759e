/* Inside: dsn
 * With: address number xtext
 * Models: text
 * Limits: DSN_ORCPT_MAX=6 DSN_ENVID_MAX=4 DSN_AUTH_MAX=4
 * Values up to LENGTH octets, more than there may be here. */
#include <dsn.c>

#include "prove.h"

enum { LENGTH = 7, EMBEDDED = 10 };

static void
values(size_t length)
{
	const char *text = octets(length);

	(void)dsn_notify(text, length);
	(void)dsn_ret(text, length);
	(void)dsn_envid(text, length);
}

static void
orcpt(size_t length, bool utf8)
{
	(void)dsn_orcpt(octets(length), length, utf8);
}

static void
auth(size_t length, bool utf8)
{
	(void)dsn_auth(octets(length), length, utf8);
}

/* What is behind "utf-8;". */
static void
character(size_t length)
{
	(void)utf8_next(octets(length), length, any_bool());
}

void
prove(void)
{
	//@ loop unroll 99;
	for (size_t length = 0; length <= LENGTH; length++) {
		values(length);
		orcpt(length, false);
		orcpt(length, true);
		auth(length, false);
		auth(length, true);
	}
	//@ loop unroll 99;
	for (size_t length = 0; length <= EMBEDDED; length++)
		character(length);
}
