/* The room data: it uses some of its input, one octet at least, writes over all
 * of it, and something comes out, or nothing. */
#include "data.h"

#include "prove.h"

size_t
data_decode(struct data *data, char *text, size_t length, const char **piece,
    size_t *piece_length)
{
	size_t used = 0;

	while (used < length) {
		text[used] = text[used];
		used++;
		if (any_bool())
			break;
	}
	data->bad = data->bad || any_bool();
	data->ended = !data->chunked && any_bool();
	data->size = any_size(0, SIZE_MAX);
	data->state = any_int(DATA_LINE_START, DATA_DOT_CR);
	*piece = text;
	*piece_length = any_bool() ? used : 0;
	return used;
}

void
data_end(struct data *data)
{
	data->bad = data->bad || any_bool();
}
