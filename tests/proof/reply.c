/* Rooms: reply
 * With: text
 * Models: utf8
 * Limits: REPLY_MAX=14 REPLY_LINE_MAX=9
 * Texts up to LENGTH octets, which is more than fits. */
#include "reply.h"

#include "prove.h"

enum { LENGTH = 15 };

static void
once(size_t length)
{
	const char *text = octets(length);

	(void)reply_code(text, length, false);
	(void)reply_code(text, length, true);
	if (reply_enhanced(text, length) > length ||
	    reply_span(text, length) > length)
		(void)text[length]; /* an alarm */
}

void
prove(void)
{
	//@ loop unroll 99;
	for (size_t length = 0; length <= LENGTH; length++)
		once(length);
}
