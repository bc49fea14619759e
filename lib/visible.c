#include "visible.h"

#include <stdbool.h>
#include <string.h>

/* One octet in the notation of cat -v. */
static char *
put_octet(char *out, unsigned char octet)
{
	if (octet >= 0x80) {
		*out++ = 'M';
		*out++ = '-';
		octet &= 0x7F;
	}
	if (octet < ' ' || octet == 0x7F) {
		*out++ = '^';
		octet ^= 0x40;
	}
	*out++ = (char)octet;
	return out;
}

static char *
put_octets(char *out, const struct utf8 *utf8)
{
	for (size_t i = 0; i < utf8->count; i++)
		out = put_octet(out, utf8->octets[i]);
	return out;
}

/* True for a character that moves no more than the cursor. */
static bool
harmless(const struct utf8 *utf8)
{
	unsigned char first = utf8->octets[0];

	if (utf8->count == 1)
		return first == '\n' || first == '\t' ||
		       (first >= ' ' && first < 0x7F);
	/* U+0080 to U+009F, C1, are C2 80 to C2 9F. */
	return first != 0xC2 || utf8->octets[1] >= 0xA0;
}

size_t
visible(struct utf8 *utf8, const char *text, size_t length, char *out)
{
	char *end = out;

	for (size_t i = 0; i < length; i++) {
		unsigned char octet = (unsigned char)text[i];
		switch (utf8_add(utf8, octet)) {
		case UTF8_PART:
			continue;
		case UTF8_WHOLE:
			if (!harmless(utf8)) {
				end = put_octets(end, utf8);
				break;
			}
			memcpy(end, utf8->octets, utf8->count);
			end += utf8->count;
			break;
		case UTF8_BAD:
			if (utf8->count == 0) {
				end = put_octet(end, octet);
				break;
			}
			end = put_octets(end, utf8);
			i--; /* it may begin a character itself */
			break;
		}
		utf8->count = 0;
	}
	return (size_t)(end - out);
}

size_t
visible_end(struct utf8 *utf8, char *out)
{
	size_t length = (size_t)(put_octets(out, utf8) - out);

	utf8->count = 0;
	return length;
}
