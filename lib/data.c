#include "data.h"

#include <stdint.h>
#include <string.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* Where octets are taken from and where they are put, never ahead of it. */
struct cursor {
	const char *in;
	const char *end;
	char *begin;
	char *out;
	bool alone; /* what comes out is one CRLF that has no room in place */
	bool stop;
};

/* A block of octets, and for each of them BITS in what ends_of() gives. */
#ifdef __SSE2__
typedef __m128i block;
#define BITS 1
#else
typedef uint64_t block;
#define BITS 8
#define ALL(octet) (0x0101010101010101 * (uint64_t)(octet))
#endif

/* 0 if the block has neither CR nor LF. Else the lowest bit is of the first of
 * them, if the first octet is the lowest. */
static uint64_t
ends_of(block octets)
{
#ifdef __SSE2__
	return (uint64_t)_mm_movemask_epi8(
	    _mm_or_si128(_mm_cmpeq_epi8(octets, _mm_set1_epi8('\r')),
		_mm_cmpeq_epi8(octets, _mm_set1_epi8('\n'))));
#else
	uint64_t cr = octets ^ ALL('\r'), lf = octets ^ ALL('\n');

	return (((cr - ALL(1)) & ~cr) | ((lf - ALL(1)) & ~lf)) & ALL(0x80);
#endif
}

/* The octets of the block at in before its first CR or LF; ends is not 0. */
static size_t
octets_before(const char *in, uint64_t ends)
{
	size_t n = 0;

	if (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)
		return (size_t)__builtin_ctzll(ends) / BITS;
	while (n < sizeof(block) && in[n] != '\r' && in[n] != '\n')
		n++;
	return n;
}

/* Moves n octets, fewer than a block has, a part at a time: none is overwritten
 * before it has been read, since out is never ahead of in. */
static void
move_few(char *out, const char *in, size_t n)
{
	if (n & 8) {
		memmove(out, in, 8);
		in += 8;
		out += 8;
	}
	if (n & 4) {
		memmove(out, in, 4);
		in += 4;
		out += 4;
	}
	if (n & 2) {
		memmove(out, in, 2);
		in += 2;
		out += 2;
	}
	if (n & 1)
		*out = *in;
}

/* Moves the octets up to the next CR or LF, a block at a time, since this is
 * where the time of a large message goes. */
static void
move_run(struct data *data, struct cursor *c)
{
	const char *in = c->in;
	char *out = c->out;
	block octets;

	while (c->end - in >= (ptrdiff_t)sizeof octets) {
		uint64_t ends;

		memcpy(&octets, in, sizeof octets);
		ends = ends_of(octets);
		if (ends) {
			size_t n = octets_before(in, ends);

			move_few(out, in, n);
			in += n;
			out += n;
			break;
		}
		memcpy(out, &octets, sizeof octets);
		in += sizeof octets;
		out += sizeof octets;
	}
	while (in < c->end && *in != '\r' && *in != '\n')
		*out++ = *in++;
	data->size += (size_t)(in - c->in);
	c->in = in;
	c->out = out;
}

/* Lines that are whole, and behind which another begins that is neither empty
 * input nor a dot; in the end what there is of the one that is not. */
static void
move_lines(struct data *data, struct cursor *c)
{
	for (;;) {
		move_run(data, c);
		if (c->end - c->in < 3 || c->in[0] != '\r' ||
		    c->in[1] != '\n' || (c->in[2] == '.' && !data->chunked))
			return;
		if (data->crlf)
			*c->out++ = '\r';
		*c->out++ = '\n';
		c->in += 2;
		data->size += 2;
	}
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
		move_lines(data, c);
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
