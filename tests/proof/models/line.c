/* The room line: it finds a line of any length, in the input or in what was
 * kept, whole or not, or none. */
#include "line.h"

#include "prove.h"

enum line_found
line_take(struct line *line, char **input, size_t *input_length, char **text,
    size_t *length)
{
	size_t n = 0;

	while (n < *input_length) {
		(*input)[n] = (*input)[n];
		n++;
		if (any_bool())
			break;
	}
	*text = *input;
	*length = n > 0 && any_bool() ? n - 1 : n;
	*input += n;
	*input_length -= n;
	line->length = 0;
	line->skipping = Frama_C_interval(0, 1) != 0;
	if (n == 0 || any_bool()) {
		*input += *input_length;
		*input_length = 0;
		line->length = any_size(0, LINE_MAX_OCTETS);
		return LINE_NONE;
	}
	if (any_bool())
		return LINE_LONG;
	if (any_bool())
		return LINE_BARE;
	line->skipping = false;
	return LINE_WHOLE;
}
