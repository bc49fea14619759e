/* Rooms: clean
 * Models: text
 * Texts up to LENGTH octets into any room. */
#include "clean.h"

#include "prove.h"

enum { LENGTH = 8 };

static void
once(size_t length, size_t size)
{
	char *out = room(size), *text = octets(length);

	(void)clean(text, length, false, out, size);
	(void)clean(text, length, true, out, size);
}

void
prove(void)
{
	//@ loop unroll 99;
	for (size_t length = 0; length <= LENGTH; length++)
		//@ loop unroll 99;
		for (size_t size = 0; size <= length + 1; size++)
			once(length, size);
}
