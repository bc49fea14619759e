/* Rooms: data
 * With:
 * Eva:
 * Pieces up to LENGTH octets, more than two words of the fast loop, in any
 * state that is not the end. */
#include "data.h"

#include "prove.h"

enum { LENGTH = 18 };

static void
once(size_t length, enum data_newline newline, bool crlf, int state)
{
	struct data data = {
	    .newline = newline,
	    .crlf = crlf,
	    .chunked = any_bool(),
	    .bad = any_bool(),
	    .size = any_size(0, SIZE_MAX),
	};
	char *text = octets(length);
	const char *piece;
	size_t piece_length, used;

	data.state = state;
	used = data_decode(&data, text, length, &piece, &piece_length);
	if (used > 0)
		(void)text[used - 1];
	if (piece_length > 0)
		(void)piece[piece_length - 1];
	data_end(&data);
}

void
prove(void)
{
	for (size_t length = 0; length <= LENGTH; length++)
		for (int newline = DATA_REJECT; newline <= DATA_TERMINAL;
		     newline++)
			for (int state = DATA_LINE_START; state <= DATA_DOT_CR;
			     state++) {
				once(length, newline, false, state);
				once(length, newline, true, state);
			}
}
