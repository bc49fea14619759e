/* With: text utf8
 * What models/ rely on. */
#include "text.h"

#include "prove.h"

enum { LENGTH = 8 };

static void
character(size_t length)
{
	size_t n = text_utf8(octets(length), length);

	//@ assert n <= length && n <= 4;
	(void)n;
}

void
prove(void)
{
	//@ loop unroll 99;
	for (size_t length = 0; length <= LENGTH; length++)
		character(length);
}
