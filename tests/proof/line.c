/* Rooms: line
 * Limits: LINE_MAX_OCTETS=6
 * Pieces up to LENGTH octets behind any part of a line, which may be no longer
 * than a word here. */
#include "line.h"

#include "prove.h"

enum { LENGTH = 8 };

static void
once(size_t length, size_t kept)
{
	struct line line;
	char *input = octets(length), *text;
	size_t n;

	ANYTHING(line);
	line.strict = any_bool();
	line.skipping = any_bool();
	line.length = kept;
	if (line_take(&line, &input, &length, &text, &n) != LINE_NONE && n > 0)
		(void)text[n - 1];
	/* So that the next piece finds a state that is among these. */
	//@ assert line.length <= LINE_MAX_OCTETS;
}

void
prove(void)
{
	//@ loop unroll 99;
	for (size_t length = 0; length <= LENGTH; length++) {
		//@ loop unroll 99;
		for (size_t kept = 0; kept <= LINE_MAX_OCTETS; kept++)
			once(length, kept);
	}
}
