/* Inside: data
 * Eva: -eva-slevel 20000
 * Without SSE2: pieces up to LENGTH octets, and as many as make the loop over
 * blocks go on, in any state that is not the end. */
#undef __SSE2__
#include <data.c>

#include "prove.h"

enum { LENGTH = 5, FAST = 10 };

static void
once(size_t length, bool crlf)
{
	struct data data = {
	    .newline = any_int(DATA_REJECT, DATA_TERMINAL),
	    .crlf = crlf,
	    .chunked = any_bool(),
	    .bad = any_bool(),
	    .size = any_size(0, SIZE_MAX),
	};
	char *text = octets(length);
	const char *piece;
	size_t piece_length, used;

	data.state = any_int(DATA_LINE_START, DATA_DOT_CR);
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
	//@ loop unroll 99;
	for (size_t length = 0; length <= LENGTH; length++) {
		once(length, false);
		once(length, true);
	}
	once(FAST, false);
	once(FAST, true);
}
