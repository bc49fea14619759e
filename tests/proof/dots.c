/* Rooms: dots
 * With:
 * Eva:
 * Pieces up to LENGTH octets into any room up to SIZE, in any state. */
#include "dots.h"

#include "prove.h"

enum { LENGTH = 8, SIZE = 18 };

static void
once(size_t length, size_t size, int state)
{
	struct dots dots = {.bad = any_bool()};
	const char *text = octets(length);
	char *out = room(size), end[DOTS_END_MAX];
	size_t n;

	dots.state = state;
	n = dots_encode(&dots, &text, &length, out, size);
	if (n > 0)
		(void)out[n - 1];
	(void)dots_end(&dots, end);
}

void
prove(void)
{
	for (size_t length = 0; length <= LENGTH; length++)
		for (size_t size = 0; size <= SIZE; size++)
			for (int state = DOTS_LINE_START; state <= DOTS_RETURN;
			     state++)
				once(length, size, state);
}
