/* With: quote clean reply text utf8
 * Limits: REPLY_MAX=24 REPLY_LINE_MAX=14
 * Octets: followed
 * No text, and two replies of two lines each, whose ends have to be where they
 * were put. */
#include "quote.h"

#include "prove.h"

/* A line of length octets with its end: nothing but its code is known. */
static void
put_line(struct quote *quote, size_t length)
{
	size_t at = quote->length;

	quote->last = at;
	for (size_t i = 0; i + 1 < length; i++)
		quote->text[at + i] = (char)any_int(32, 126);
	quote->text[at + length - 1] = '\n';
	quote->length += length;
}

static struct quote
two_lines(int code, size_t one, size_t other)
{
	struct quote quote = {.utf8 = any_bool(), .code = code};

	if (one > 0)
		put_line(&quote, one);
	if (other > 0)
		put_line(&quote, other);
	return quote;
}

static void
take(size_t one, size_t other)
{
	struct quote quote = two_lines(550, one, other);
	struct quote better = two_lines(551, other, one);
	size_t n;

	quote_take(&quote, &better);
	better.code = 450;
	quote_take(&quote, &better);
	quote = two_lines(550, one, other);
	quote_soften(&quote);
	(void)quote_reply(&quote, &n);
	quote_clear(&quote);
}

/* Words of our own. */
static void
add_nothing(int code, const char *who, size_t length)
{
	struct quote quote = {.utf8 = any_bool()};

	quote_add(&quote, code, "", 0, who, length);
	//@ assert quote.length <= REPLY_MAX;
}

void
prove(void)
{
	add_nothing(250, NULL, 0);
	add_nothing(421, NULL, 0);
	add_nothing(550, "a", 1);
	//@ loop unroll 99;
	for (size_t one = 5; one <= 11; one += 3)
		//@ loop unroll 99;
		for (size_t other = 5; other <= 11; other += 3)
			take(one, other);
}
