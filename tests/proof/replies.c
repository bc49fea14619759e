/* Rooms: replies
 * Models: reply
 * Octets: followed
 * Inlined: replies_next
 * Texts up to LENGTH octets. */
#include "replies.h"

#include "prove.h"

enum { LENGTH = 6 };

static void
once(size_t length)
{
	struct replies replies = {.text = octets(length), .length = length};
	const char *text;
	size_t n, count;

	replies_worst(&replies, &text, &n);
	while (replies_next(&replies, &text, &n, &count))
		(void)text[n - 1];
}

void
prove(void)
{
	//@ loop unroll 99;
	for (size_t length = 0; length <= LENGTH; length++)
		once(length);
}
