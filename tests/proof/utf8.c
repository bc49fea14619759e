/* Rooms: utf8
 * Texts up to LENGTH octets, more than two words of the fast loop, behind any
 * part of a character. */
#include "utf8.h"

#include "parts.h"
#include "prove.h"

enum { LENGTH = 12 };

static void
once(size_t length, struct utf8 utf8)
{
	char *text = octets(length);

	if (utf8_check(&utf8, text, length) && utf8.count > 0)
		(void)utf8.octets[utf8.count - 1];
}

void
prove(void)
{
	//@ loop unroll 99;
	for (size_t length = 0; length <= LENGTH; length++)
		EACH_PART(once, length);
}
