#include "json.h"

#include <stdbool.h>
#include <string.h>

static const char replacement[] = "\xEF\xBF\xBD"; /* U+FFFD */

/* Escapes shorter than \u00XX; RFC 8259 7. */
static const struct {
	char octet, letter;
} short_escapes[] = {
    {'"', '"'},
    {'\\', '\\'},
    {'\b', 'b'},
    {'\f', 'f'},
    {'\n', 'n'},
    {'\r', 'r'},
    {'\t', 't'},
};

/* True for the octets that stand for themselves. */
static bool
plain(char octet)
{
	return octet >= ' ' && octet < 0x7F && octet != '"' && octet != '\\';
}

static char *
put(char *out, const void *octets, size_t length)
{
	memcpy(out, octets, length);
	return out + length;
}

/* A control character, DEL and C1 included, whose code is below 256. */
static char *
put_escape(char *out, unsigned char code)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < sizeof short_escapes / sizeof short_escapes[0];
	     i++)
		if (code == (unsigned char)short_escapes[i].octet) {
			*out++ = '\\';
			*out++ = short_escapes[i].letter;
			return out;
		}
	out = put(out, "\\u00", 4);
	*out++ = digits[code >> 4];
	*out++ = digits[code & 15];
	return out;
}

static char *
put_character(char *out, const struct utf8 *utf8)
{
	const unsigned char *octets = utf8->octets;

	if (utf8->count == 1 && !plain((char)octets[0]))
		return put_escape(out, octets[0]);
	/* U+0080 to U+009F are C2 80 to C2 9F. */
	if (utf8->count == 2 && octets[0] == 0xC2 && octets[1] < 0xA0)
		return put_escape(out, octets[1]);
	return put(out, octets, utf8->count);
}

size_t
json_escape(struct utf8 *utf8, const char *text, size_t length, char *out)
{
	char *end = out;

	for (size_t i = 0; i < length; i++) {
		if (utf8->count == 0 && plain(text[i])) {
			*end++ = text[i];
			continue;
		}
		switch (utf8_add(utf8, (unsigned char)text[i])) {
		case UTF8_PART:
			continue;
		case UTF8_WHOLE:
			end = put_character(end, utf8);
			break;
		case UTF8_BAD:
			end = put(end, replacement, sizeof replacement - 1);
			if (utf8->count > 0)
				i--; /* it may begin a character itself */
			break;
		}
		utf8->count = 0;
	}
	return (size_t)(end - out);
}

size_t
json_escape_end(struct utf8 *utf8, char *out)
{
	if (utf8->count == 0)
		return 0;
	utf8->count = 0;
	return (size_t)(put(out, replacement, sizeof replacement - 1) - out);
}
