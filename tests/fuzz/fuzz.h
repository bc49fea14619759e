/* What the fuzz targets share. A target is LLVMFuzzerTestOneInput() of
 * libFuzzer, which AFL++ knows, too, and replay.c without either: it feeds the
 * octets of an input to a room, and stops where the room breaks a promise. */
#ifndef SMTPD_FUZZ_H
#define SMTPD_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What must be true; the sanitizers catch the rest. */
#define DEMAND(good) ((good) ? (void)0 : fuzz_fail(#good, __FILE__, __LINE__))

static inline void
fuzz_fail(const char *what, const char *file, int line)
{
	(void)fprintf(stderr, "%s:%d: not so: %s\n", file, line, what);
	abort();
}

/* The input, or what is left of it. */
struct fuzz {
	const char *text;
	size_t length;
};

static inline struct fuzz
fuzz_begin(const uint8_t *data, size_t size)
{
	return (struct fuzz){(const char *)data, size};
}

/* The next octet as a number, 0 where there is none. */
static inline unsigned
fuzz_octet(struct fuzz *fuzz)
{
	if (fuzz->length == 0)
		return 0;
	fuzz->length--;
	return (unsigned char)*fuzz->text++;
}

/* Up to the next octet `end`, which is skipped, or to the end. */
static inline struct fuzz
fuzz_part(struct fuzz *fuzz, char end)
{
	struct fuzz part = *fuzz;
	const char *found =
	    fuzz->length > 0 ? memchr(fuzz->text, end, fuzz->length) : NULL;

	if (found)
		part.length = (size_t)(found - fuzz->text);
	fuzz->text += part.length + (found ? 1 : 0);
	fuzz->length -= part.length + (found ? 1 : 0);
	return part;
}

/* A copy of exactly so many octets, so that a read behind it is seen. */
static inline char *
fuzz_copy(const char *text, size_t length)
{
	char *copy = malloc(length + (length == 0));

	if (!copy)
		abort();
	if (length > 0)
		memcpy(copy, text, length);
	return copy;
}

/* The same as a string: up to its first NUL. */
static inline char *
fuzz_string(struct fuzz part)
{
	char *copy = malloc(part.length + 1);

	if (!copy)
		abort();
	if (part.length > 0)
		memcpy(copy, part.text, part.length);
	copy[part.length] = '\0';
	return copy;
}

/* Random numbers that are the same everywhere, for ways of cutting. */
static inline size_t
fuzz_chance(uint32_t *state, size_t below)
{
	*state = *state * 1664525 + 1013904223;
	return (*state >> 8) % below;
}

/* The next piece of left octets: mostly a few, at times all. */
static inline size_t
fuzz_cut(uint32_t *state, size_t left)
{
	size_t most = fuzz_chance(state, 4) ? 7 : left;

	return 1 + fuzz_chance(state, most < left ? most : left);
}

/* True if both hold the same octets. */
static inline bool
fuzz_same(const char *a, size_t a_length, const char *b, size_t b_length)
{
	return a_length == b_length &&
	       (a_length == 0 || memcmp(a, b, a_length) == 0);
}

/* True if it has a control character, C1 in UTF-8 too, but for those of
 * allowed: our own idea of what may reach a terminal. */
static inline bool
fuzz_controls(const char *text, size_t length, const char *allowed)
{
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)text[i];

		if ((c < ' ' && (c == 0 || !strchr(allowed, c))) || c == 0x7f)
			return true;
		if (c == 0xc2 && i + 1 < length && (text[i + 1] & 0xe0) == 0x80)
			return true;
	}
	return false;
}

#endif
