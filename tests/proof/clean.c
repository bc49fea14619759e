/* Rooms: clean
 * With: text utf8
 * Eva:
 * Texts up to LENGTH octets into any room up to SIZE. */
#include "clean.h"

#include "prove.h"

enum { LENGTH = 10, SIZE = 12 };

static void
once(size_t length, size_t size, bool utf8)
{
	char *out = room(size);
	size_t n = clean(octets(length), length, utf8, out, size);

	if (n > 0)
		(void)out[n - 1];
}

void
prove(void)
{
	for (size_t length = 0; length <= LENGTH; length++)
		for (size_t size = 0; size <= SIZE; size++) {
			once(length, size, false);
			once(length, size, true);
		}
}
