#include "xtext.h"

#include <string.h>

#include "text.h"

static const char digits[] = "0123456789ABCDEF";

/* The value of one digit, 16 if it is none. */
static unsigned
hex(char c)
{
	const char *at = memchr(digits, c, sizeof digits - 1);

	return at ? (unsigned)(at - digits) : 16;
}

size_t
xtext_next(const char *text, size_t length, char *octet)
{
	unsigned high, low;

	if (length == 0 || !text_is_print(*text) || *text == ' ' ||
	    *text == '=')
		return 0;
	if (*text != '+') {
		*octet = *text;
		return 1;
	}
	if (length < 3)
		return 0;
	high = hex(text[1]);
	low = hex(text[2]);
	if (high > 15 || low > 15)
		return 0;
	*octet = (char)(high << 4 | low);
	return 3;
}
