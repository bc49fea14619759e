/* What the harnesses have in common; for Frama-C alone, see tests/prove. A
 * block has exactly the octets that were asked for, so that one octet too far
 * is an alarm; a length is best tried by a loop, each alone, since Eva knows
 * values and not what they have to do with each other. */
#ifndef SMTPD_PROVE_H
#define SMTPD_PROVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "__fc_builtin.h"

/* The entry point of each harness. */
void prove(void);

/* n octets that may be anything. */
static inline char *
octets(size_t n)
{
	char *block = malloc(n);

	if (n > 0)
		Frama_C_make_unknown(block, n);
	return block;
}

/* Room for n octets that nobody has written yet. */
static inline char *
room(size_t n)
{
	return malloc(n);
}

/* Makes an object anything at all; where it has pointers or enums, set them
 * again. */
#define ANYTHING(object) Frama_C_make_unknown((char *)&(object), sizeof(object))

static inline bool
any_bool(void)
{
	return Frama_C_interval(0, 1) != 0;
}

/* From low to high, at once. */
static inline size_t
any_size(size_t low, size_t high)
{
	return Frama_C_unsigned_long_interval(low, high);
}

static inline int
any_int(int low, int high)
{
	return Frama_C_interval(low, high);
}

#endif
