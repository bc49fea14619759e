/* Rooms: visible
 * With: utf8
 * Pieces up to LENGTH octets, behind any part of a character. */
#include "visible.h"

#include "parts.h"
#include "prove.h"

enum { LENGTH = 2 };

static void
once(size_t length, struct utf8 utf8)
{
	char *text = octets(length), *out = octets(VISIBLE_MAX(length));
	char *end = room(VISIBLE_MAX(0));

	(void)visible(&utf8, text, length, out);
	(void)visible_end(&utf8, end);
}

void
prove(void)
{
	//@ loop unroll 99;
	for (size_t length = 0; length <= LENGTH; length++)
		EACH_PART(once, length);
}
