#include "dots.h"

#include <string.h>

/* Where octets are taken from and where they are put. */
struct cursor {
	const char *in;
	size_t length;
	char *out;
	size_t room;
	const char *stop; /* the next CR, or the end */
};

static void
put(struct cursor *c, const char *text, size_t length)
{
	memcpy(c->out, text, length);
	c->out += length;
	c->room -= length;
}

static void
use(struct cursor *c, size_t length)
{
	c->in += length;
	c->length -= length;
}

/* Octets before the next CR or LF, no more than there is room for. A CR is
 * looked for once, not in each line again. */
static size_t
run_length(struct cursor *c)
{
	size_t n = c->length < c->room ? c->length : c->room;
	const char *found;

	if (!c->stop || c->stop < c->in) {
		found = memchr(c->in, '\r', c->length);
		c->stop = found ? found : c->in + c->length;
	}
	if (n > (size_t)(c->stop - c->in))
		n = (size_t)(c->stop - c->in);
	found = memchr(c->in, '\n', n);
	return found ? (size_t)(found - c->in) : n;
}

static void
line_end(struct dots *dots, struct cursor *c)
{
	put(c, "\r\n", 2);
	use(c, 1);
	dots->state = DOTS_LINE_START;
}

static void
in_line(struct dots *dots, struct cursor *c)
{
	size_t n = run_length(c);

	if (n > 0) {
		put(c, c->in, n);
		use(c, n);
	} else if (*c->in == '\n') {
		line_end(dots, c);
	} else {
		dots->state = DOTS_RETURN;
		use(c, 1);
	}
}

size_t
dots_encode(struct dots *dots, const char **text, size_t *length, char *out,
    size_t size)
{
	/* No octet but a CR comes out as less than one. */
	size_t most = *length < size ? *length : size;
	struct cursor c = {
	    .in = *text, .length = most, .out = out, .room = size};

	while (c.length > 0 && c.room >= 2 && !dots->bad) {
		if (dots->state == DOTS_RETURN) {
			dots->bad = *c.in != '\n';
			if (!dots->bad)
				line_end(dots, &c);
			continue;
		}
		if (dots->state == DOTS_LINE_START && *c.in == '.')
			put(&c, ".", 1);
		dots->state = DOTS_LINE;
		in_line(dots, &c);
	}
	*text = c.in;
	*length -= most - c.length;
	return size - c.room;
}

size_t
dots_end(struct dots *dots, char out[DOTS_END_MAX])
{
	static const char end[DOTS_END_MAX] = {'\r', '\n', '.', '\r', '\n'};
	size_t skipped = dots->state == DOTS_LINE_START ? 2 : 0;

	dots->bad = dots->bad || dots->state == DOTS_RETURN;
	if (dots->bad)
		return 0;
	memcpy(out, end + skipped, sizeof end - skipped);
	return sizeof end - skipped;
}
