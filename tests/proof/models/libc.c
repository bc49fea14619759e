#include "libc.h"

#include "prove.h"

#undef memchr
#undef memcpy
#undef memmove
#undef memcmp

void *
prove_memchr(const void *block, int octet, size_t n)
{
	const volatile char *at = block;

	//@ assert block != \null;
	for (size_t i = 0; i < n; i++)
		if (at[i] == (char)octet)
			return (char *)block + i;
	return NULL;
}

/* What was copied is any octets, unless they are to be followed. */
static void
forget(void *to, size_t n)
{
#ifndef COPIED
	Frama_C_make_unknown(to, n);
#endif
}

void *
prove_memcpy(void *to, const void *from, size_t n)
{
	//@ assert to != \null && from != \null;
	if (n > 0) {
		memcpy(to, from, n);
		forget(to, n);
	}
	return to;
}

void *
prove_memmove(void *to, const void *from, size_t n)
{
	//@ assert to != \null && from != \null;
	if (n > 0) {
		memmove(to, from, n);
		forget(to, n);
	}
	return to;
}

int
prove_memcmp(const void *one, const void *other, size_t n)
{
	//@ assert one != \null && other != \null;
	return n > 0 ? memcmp(one, other, n) : 0;
}
