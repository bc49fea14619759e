/* Rooms: dots
 * Octets: followed
 * Pieces up to LENGTH octets into any room up to SIZE, in any state. */
#include "dots.h"

#include "prove.h"

enum { LENGTH = 4, SIZE = 8 };

static void
once(size_t length, size_t size)
{
	struct dots dots = {.bad = any_bool()};
	const char *text = octets(length);
	char *out = room(size), end[DOTS_END_MAX];
	size_t n;

	dots.state = any_int(DOTS_LINE_START, DOTS_RETURN);
	n = dots_encode(&dots, &text, &length, out, size);
	//@ assert n <= size;
	if (n > 0)
		(void)out[n - 1];
	(void)dots_end(&dots, end);
}

void
prove(void)
{
	//@ loop unroll 99;
	for (size_t length = 0; length <= LENGTH; length++) {
		//@ loop unroll 99;
		for (size_t size = 0; size <= SIZE; size++)
			once(length, size);
	}
}
