#include "line.h"

#include <string.h>

/* Moves n octets out of the input; they are at the pointer returned. */
static char *
use(struct line *line, char **input, size_t *input_length, size_t n)
{
	char *piece = *input;

	if (n > 0)
		line->last = piece[n - 1];
	*input += n;
	*input_length -= n;
	return piece;
}

/* Takes a piece that fits, its LF included where it has one. */
static enum line_found
add(struct line *line, char *piece, size_t n, bool ends, char **text,
    size_t *length)
{
	*text = piece;
	*length = n;
	if (line->length > 0 || !ends) {
		memcpy(line->text + line->length, piece, n);
		line->length += n;
		*text = line->text;
		*length = line->length;
	}
	if (!ends)
		return LINE_NONE;
	line->length = 0;
	(*length)--;
	if (*length > 0 && (*text)[*length - 1] == '\r')
		(*length)--;
	return LINE_WHOLE;
}

enum line_found
line_take(struct line *line, char **input, size_t *input_length, char **text,
    size_t *length)
{
	while (*input_length > 0) {
		char *newline = memchr(*input, '\n', *input_length), *piece;
		size_t room = sizeof line->text - line->length;
		size_t n =
		    newline ? (size_t)(newline - *input) + 1 : *input_length;
		bool bare;

		if (!line->skipping && n > room) {
			(void)use(line, input, input_length, room);
			line->length = 0;
			line->skipping = true;
			return LINE_LONG;
		}
		bare = newline && (n > 1 ? newline[-1] : line->last) != '\r';
		piece = use(line, input, input_length, n);
		if (bare && line->strict) {
			line->length = 0;
			line->skipping = true;
			return LINE_BARE;
		}
		if (line->skipping)
			line->skipping = !newline;
		else if (add(line, piece, n, newline, text, length) ==
			 LINE_WHOLE)
			return LINE_WHOLE;
	}
	return LINE_NONE;
}
