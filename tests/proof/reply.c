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
	size_t enhanced, span;

	(void)reply_code(text, length, false);
	(void)reply_code(text, length, true);
	enhanced = reply_enhanced(text, length);
	//@ assert enhanced <= length;
	span = reply_span(text, length);
	//@ assert span <= length && (span > 0 || length == 0);
	(void)(enhanced + span);
}

void
prove(void)
{
	//@ loop unroll 99;
	for (size_t length = 0; length <= LENGTH; length++)
		once(length);
}
