#include "libc.h"

#include "prove.h"

#undef memchr
#undef memcpy
#undef memmove
#undef memcmp
#undef strchr
#undef strcmp
#undef strlen

void *
prove_memchr(const void *block, int octet, size_t n)
{
	const char *at = block;

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
#ifdef COPIED
	const unsigned char *a = one, *b = other;

	for (size_t i = 0; i < n; i++)
		if (a[i] != b[i])
			return a[i] < b[i] ? -1 : 1;
	//@ assert one != \null && other != \null;
	return 0;
#else
	//@ assert one != \null && other != \null;
	return n > 0 ? memcmp(one, other, n) : 0;
#endif
}

size_t
prove_strlen(const char text[])
{
	size_t n = 0;

	while (text[n] != '\0')
		n++;
	return n;
}

char *
prove_strchr(const char text[], int octet)
{
	for (size_t i = 0;; i++) {
		if (text[i] == (char)octet)
			return (char *)text + i;
		if (text[i] == '\0')
			return NULL;
	}
}

int
prove_strncmp(const char one[], const char other[], size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (one[i] != other[i])
			return one[i] < other[i] ? -1 : 1;
		if (one[i] == '\0')
			return 0;
	}
	return 0;
}

size_t
prove_strcspn(const char text[], const char reject[])
{
	size_t n = 0;

	while (text[n] != '\0' && !prove_strchr(reject, text[n]))
		n++;
	return n;
}

char *
prove_strncat(char text[], const char more[], size_t n)
{
	size_t at = prove_strlen(text);

	for (size_t i = 0; i < n && more[i] != '\0'; i++)
		text[at++] = more[i];
	text[at] = '\0';
	return (char *)text;
}

/* No more than the highest bit there is. */
int
prove_ctzll(unsigned long long bits)
{
	int n = 0;

	//@ assert bits != 0;
	while (bits >> n > 1 && (bits >> n & 1) == 0)
		n++;
	return n;
}

/* Rule 7 of HACKING.md: nothing may lead here. */
void
prove_trap(void)
{
	//@ assert trap: \false;
	for (;;)
		continue;
}
