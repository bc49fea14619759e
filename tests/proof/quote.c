/* Rooms: quote
 * With: reply
 * Models: clean text
 * With: utf8
 * Limits: REPLY_MAX=20 REPLY_LINE_MAX=9
 * Eva: -eva-slevel-function holds:0
 * Texts up to LENGTH octets, and one that an enhanced code fits in, about an
 * address or none, behind replies of any length. No text, and what is done to
 * two replies, is in quotes.c. */
#include "quote.h"

#include "prove.h"

enum { LENGTH = 4, ENHANCED = 6 };

static void
add(size_t old, int code, size_t length, size_t who)
{
	struct quote quote = {
	    .code = old > 0 ? 550 : 0,
	    .length = old,
	    .last = old > 0 ? old - 5 : 0,
	};
	struct quote none = {0};
	size_t n;

	Frama_C_make_unknown(quote.text, sizeof quote.text);
	quote_take(&none, &none);
	quote_soften(&none);
	quote_add(&quote, code, octets(length), length,
	    who > 0 ? octets(who) : NULL, who);
	(void)quote_reply(&quote, &n);
	//@ assert n <= REPLY_MAX;
	quote_clear(&quote);
}

void
prove(void)
{
	static const int codes[] = {250, 421, 599};

	//@ loop unroll 99;
	for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
		//@ loop unroll 99;
		for (size_t length = 1; length <= LENGTH; length++) {
			add(0, codes[i], length, 0);
			add(5, codes[i], length, 1);
			add(REPLY_MAX, codes[i], length, 1);
		}
	add(0, 421, ENHANCED, 0);
}
