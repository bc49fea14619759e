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

/* Joins a piece, which fits, to what was kept of the line before it. */
static void
join(struct line *line, char *piece, size_t n, char **text, size_t *length)
{
	*text = piece;
	*length = n;
	if (line->length == 0)
		return;
	memcpy(line->text + line->length, piece, n);
	*text = line->text;
	*length = line->length + n;
	line->length = 0;
}

/* Takes a piece that fits, its LF included where it has one. */
static enum line_found
add(struct line *line, char *piece, size_t n, bool ends, char **text,
    size_t *length)
{
	if (!ends) {
		memcpy(line->text + line->length, piece, n);
		line->length += n;
		return LINE_NONE;
	}
	join(line, piece, n, text, length);
	(*length)--;
	if (*length > 0 && (*text)[*length - 1] == '\r')
		(*length)--;
	return LINE_WHOLE;
}

/* What a line began with that is void; from here to the next CRLF all is. */
static void
give_up(struct line *line, char *piece, size_t n, char **text, size_t *length)
{
	if (line->skipping)
		n = 0;
	join(line, piece, n, text, length);
	line->skipping = true;
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
			piece = use(line, input, input_length, room);
			give_up(line, piece, room, text, length);
			return LINE_LONG;
		}
		bare = newline && (n > 1 ? newline[-1] : line->last) != '\r';
		piece = use(line, input, input_length, n);
		if (bare && line->strict) {
			give_up(line, piece, n - 1, text, length);
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
