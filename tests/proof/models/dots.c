/* The room dots with a dots_encode() that reads as much as it likes of what it
 * is given, and writes anything, as much as there is room for. */
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
		(void)*(*text)++;
		--*length;
	}
	if (n > 0)
		Frama_C_make_unknown((char *)out, n);
	dots->state = any_int(DOTS_LINE_START, DOTS_RETURN);
	dots->bad = any_bool();
	return n;
}
