/* The room dots with a dots_encode() that takes as much as it likes and fills
 * as much of its room, with anything. */
#include "dots.h"

#include "prove.h"

#define dots_encode dots_encode_itself
#include <dots.c>
#undef dots_encode

size_t dots_encode(struct dots *dots, const char **text, size_t *length,
    char *out, size_t size);

size_t
dots_encode(struct dots *dots, const char **text, size_t *length, char *out,
    size_t size)
{
	size_t n = any_size(0, size);

	while (*length > 0 && any_bool()) {
		(void)**text;
		++*text;
		--*length;
	}
	if (size > 0) {
		out[0] = 0;
		out[size - 1] = 0;
	}
	dots->state = any_int(DOTS_LINE_START, DOTS_RETURN);
	dots->bad = any_bool();
	return n;
}
