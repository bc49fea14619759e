/* Inside: data
 * With SSE2, by what emmintrin.h here says of it: pieces up to LENGTH octets in
 * any state that is not the end; and runs up to RUN octets, which is two blocks
 * and the most that can be behind them, put up to LAG before where they are. */
#include <data.c>

#include "prove.h"

enum { LENGTH = 3, RUN = 47, LAG = 2 };

static void
piece(size_t length, bool crlf)
{
	struct data data = {
	    .newline = any_int(DATA_REJECT, DATA_TERMINAL),
	    .crlf = crlf,
	    .chunked = any_bool(),
	    .bad = any_bool(),
	    .size = any_size(0, SIZE_MAX),
	};
	const char *out;
	size_t n;

	data.state = any_int(DATA_LINE_START, DATA_DOT_CR);
	(void)data_decode(&data, octets(length), length, &out, &n);
	data_end(&data);
}

static void
run(size_t length, size_t lag)
{
	struct data data = {.size = any_size(0, SIZE_MAX)};
	char *text = octets(length + lag);
	struct cursor c = {.begin = text, .out = text, .in = text + lag};

	c.end = text + lag + length;
	move_run(&data, &c);
	//@ assert c.out + lag == c.in && c.in <= c.end;
}

void
prove(void)
{
	//@ loop unroll 99;
	for (size_t length = 0; length <= LENGTH; length++) {
		piece(length, false);
		piece(length, true);
	}
	//@ loop unroll 99;
	for (size_t length = 0; length <= RUN; length++) {
		//@ loop unroll 99;
		for (size_t lag = 0; lag <= LAG; lag++)
			run(length, lag);
	}
}
