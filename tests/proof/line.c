/* Rooms: line
 * With:
 * Eva:
 * Limits: LINE_MAX_OCTETS=12
 * Pieces up to LENGTH octets behind a line of any length that there can be,
 * which is less here. */
#include "line.h"

#include "prove.h"

enum { LENGTH = 14 };

static void
once(size_t length, size_t kept, bool strict)
{
	struct line line;
	char *input = octets(length), *text;
	size_t n;

	ANYTHING(line);
	line.strict = strict;
	line.skipping = any_bool();
	line.length = kept;
	while (line_take(&line, &input, &length, &text, &n) != LINE_NONE)
		if (n > 0)
			(void)text[n - 1];
}

void
prove(void)
{
	for (size_t length = 0; length <= LENGTH; length++)
		for (size_t kept = 0; kept <= LINE_MAX_OCTETS; kept++) {
			once(length, kept, false);
			once(length, kept, true);
		}
}
