/* Rooms: quote
 * With: clean reply text
 * Models: utf8
 * Limits: REPLY_MAX=24 REPLY_LINE_MAX=10
 * Texts up to LENGTH octets, about an address up to WHO, behind any reply. */
#include "quote.h"

#include "prove.h"

enum { LENGTH = 4, WHO = 2 };

static void
holding(struct quote *quote, int code)
{
	*quote = (struct quote){.utf8 = any_bool()};
	if (code > 0)
		quote_add(quote, code, octets(2), 2, NULL, 0);
}

static void
once(int old, int new, size_t length, size_t who)
{
	struct quote quote, other;
	size_t n;

	holding(&quote, old);
	holding(&other, new);
	quote_add(&quote, new, octets(length), length,
	    any_bool() ? octets(who) : NULL, who);
	quote_take(&quote, &other);
	quote_soften(&quote);
	(void)quote_reply(&quote, &n);
	quote_clear(&quote);
}

void
prove(void)
{
	once(0, 250, 2, 2);
}
