/* The room clean, which reads all that it is given and may leave any part of
 * its length. */
#include "clean.h"

#include "prove.h"

size_t
clean(const char *text, size_t length, bool utf8, char *out, size_t size)
{
	size_t n = 0;

	(void)utf8;
	for (size_t i = 0; i < length; i++)
		(void)text[i];
	while (n < length && n < size && any_bool())
		n++;
	if (n > 0)
		Frama_C_make_unknown((char *)out, n);
	return n;
}
