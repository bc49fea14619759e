#include "data.h"

#include <stdint.h>
#include <string.h>

/* Where octets are taken from and where they are put, never ahead of it. */
struct cursor {
	const char *in;
	const char *end;
	char *begin;
	char *out;
	bool alone; /* what comes out is one CRLF that has no room in place */
	bool stop;
};

/* True if one of the eight octets is the one that pattern repeats. */
static bool
has_octet(uint64_t word, uint64_t pattern)
{
	uint64_t difference = word ^ pattern;

	return (difference - 0x0101010101010101) & ~difference &
	       0x8080808080808080;
}

/* Octets before the next CR or LF: eight at a time, since this is where the
 * time of a large message goes. */
static size_t
run_length(const char *in, const char *end)
{
	const char *at = in;
	uint64_t word;

	while (end - at >= (ptrdiff_t)sizeof word) {
		memcpy(&word, at, sizeof word);
		if (has_octet(word, 0x0d0d0d0d0d0d0d0d) ||
		    has_octet(word, 0x0a0a0a0a0a0a0a0a))
			break;
		at += sizeof word;
	}
	while (at < end && *at != '\r' && *at != '\n')
		at++;
	return (size_t)(at - in);
}

static void
copy_run(struct data *data, struct cursor *c)
{
	size_t n = run_length(c->in, c->end);

	data->size += n;
	if (c->out != c->in)
		memmove(c->out, c->in, n);
	c->in += n;
	c->out += n;
}

/* Puts the line end that a bare LF is. As CRLF it has no room in place, so it
 * is handed out alone, when what came before it has been. */
static bool
put_newline(struct data *data, struct cursor *c)
{
	if (data->crlf) {
		c->alone = c->out == c->begin;
		c->stop = true;
	} else {
		*c->out++ = '\n';
	}
	if (c->stop && !c->alone)
		return false;
	data->size += 2;
	return true;
}

/* At an LF that no CR came before. */
static void
bare_newline(struct data *data, struct cursor *c)
{
	if (data->newline == DATA_REJECT) {
		data->bad = true;
		data->state = DATA_LINE;
	} else if (data->newline == DATA_TERMINAL && data->state == DATA_DOT) {
		data->ended = true;
	} else if (put_newline(data, c)) {
		data->state = data->newline == DATA_TERMINAL ? DATA_LINE_START
							     : DATA_LINE;
	} else {
		return;
	}
	c->in++;
}

/* A CR must be followed by LF; it comes out at once, where it does at all,
 * so that nothing is owed to the next piece. */
static void
carriage_return(struct data *data, struct cursor *c)
{
	if (data->crlf)
		*c->out++ = '\r';
	data->state = DATA_CR;
	c->in++;
}

static void
behind_return(struct data *data, struct cursor *c)
{
	if (*c->in != '\n') {
		data->bad = true;
		data->state = DATA_LINE;
		return;
	}
	if (data->state == DATA_DOT_CR) {
		data->ended = true;
	} else {
		*c->out++ = '\n';
		data->size += 2;
		data->state = DATA_LINE_START;
	}
	c->in++;
}

/* One step: a run of octets, or one octet that means something. */
static void
step(struct data *data, struct cursor *c)
{
	switch (data->state) {
	case DATA_LINE_START:
		if (*c->in == '.' && !data->chunked) {
			data->state = DATA_DOT;
			c->in++;
			return;
		}
		data->state = DATA_LINE;
		/* fall through */
	case DATA_LINE:
		copy_run(data, c);
		if (c->in == c->end)
			return;
		if (*c->in == '\r')
			carriage_return(data, c);
		else
			bare_newline(data, c);
		return;
	case DATA_DOT:
		/* A dot that begins a line of more than itself is dropped. */
		if (*c->in == '\r') {
			data->state = DATA_DOT_CR;
			c->in++;
		} else if (*c->in == '\n') {
			bare_newline(data, c);
		} else {
			data->state = DATA_LINE;
		}
		return;
	case DATA_CR:
	case DATA_DOT_CR:
		behind_return(data, c);
		return;
	}
}

size_t
data_decode(struct data *data, char *text, size_t length, const char **piece,
    size_t *piece_length)
{
	struct cursor c = {.in = text, .end = text + length, .out = text};

	c.begin = text;
	while (c.in < c.end && !data->ended && !c.stop)
		step(data, &c);
	*piece = c.alone ? "\r\n" : text;
	*piece_length = c.alone ? 2 : (size_t)(c.out - text);
	if (data->bad)
		*piece_length = 0;
	return (size_t)(c.in - text);
}

void
data_end(struct data *data)
{
	data->bad = data->bad || data->state == DATA_CR;
	data->ended = true;
}
