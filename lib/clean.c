#include "clean.h"

#include <string.h>

#include "text.h"

size_t
clean(const char *text, size_t length, bool utf8, char *out, size_t size)
{
	size_t used = 0;

	for (size_t at = 0, n; at < length; at += n) {
		const char *from = text + at;

		n = utf8 ? text_utf8(from, length - at) : 1;
		if (n == 0 || (n == 1 && !text_is_print(*from))) {
			from = *from == '\t' ? " " : "?";
			n = 1;
		}
		if (n > size - used)
			break;
		memcpy(out + used, from, n);
		used += n;
	}
	while (used > 0 && out[used - 1] == ' ')
		used--;
	return used;
}
