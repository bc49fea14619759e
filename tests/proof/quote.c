/* Rooms: quote
 * With: clean reply
 * Models: text
 * With: utf8
 * Limits: REPLY_MAX=20 REPLY_LINE_MAX=9
 * Octets: followed
 * Texts up to LENGTH octets, about an address or none, behind any reply. */
#include "quote.h"

#include "prove.h"

enum { LENGTH = 2 };

static void
add(struct quote *quote, int code, size_t length, size_t who)
{
	quote_add(quote, code, octets(length), length,
	    who > 0 ? octets(who) : NULL, who);
}

static void
once(int old, int new, size_t length, size_t who)
{
	struct quote quote = {0}, other = {0};
	size_t n;

	if (old > 0)
		add(&quote, old, length, 0);
	if (new > 0)
		add(&other, new, 1, 0);
	quote_take(&other, &quote);
	if (new > 0)
		add(&quote, new, length, who);
	quote_soften(&quote);
	(void)quote_reply(&quote, &n);
	quote_clear(&quote);
}

void
prove(void)
{
	/* None, the same, worse, better; and those that are translated. */
	static const int pairs[][2] = {
	    {0, 599},
	    {250, 250},
	    {250, 421},
	    {550, 450},
	    {450, 250},
	    {599, 500},
	};

	//@ loop unroll 99;
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
		//@ loop unroll 99;
		for (size_t length = 0; length <= LENGTH; length += 2)
			//@ loop unroll 99;
			for (size_t who = 0; who <= 1; who++)
				once(pairs[i][0], pairs[i][1], length, who);
}
