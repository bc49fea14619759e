#include "utf8.h"

#include <stdint.h>
#include <string.h>

/* First octets after which not every continuation is good (RFC 3629 4). */
static const struct {
	unsigned char first, low, high;
} seconds[] = {
    {0xE0, 0xA0, 0xBF}, /* below: overlong */
    {0xED, 0x80, 0x9F}, /* above: surrogates */
    {0xF0, 0x90, 0xBF}, /* below: overlong */
    {0xF4, 0x80, 0x8F}, /* above: beyond U+10FFFF */
};

static bool
continues(const struct utf8 *utf8, unsigned char octet)
{
	for (size_t i = 0; i < sizeof seconds / sizeof seconds[0]; i++)
		if (utf8->count == 1 && utf8->octets[0] == seconds[i].first)
			return octet >= seconds[i].low &&
			       octet <= seconds[i].high;
	return octet >= 0x80 && octet <= 0xBF;
}

/* Octets of the character that begins with first. */
static unsigned
whole(unsigned char first)
{
	return first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
}

enum utf8_step
utf8_add(struct utf8 *utf8, unsigned char octet)
{
	if (utf8->count == 0) {
		/* C0 and C1 could only begin overlong forms. */
		if (octet >= 0x80 && (octet < 0xC2 || octet > 0xF4))
			return UTF8_BAD;
	} else if (!continues(utf8, octet)) {
		return UTF8_BAD;
	}
	utf8->octets[utf8->count++] = octet;
	if (utf8->octets[0] < 0x80 || utf8->count == whole(utf8->octets[0]))
		return UTF8_WHOLE;
	return UTF8_PART;
}

/* Octets of ASCII, in eights, that text begins with. */
static size_t
ascii(const char *text, size_t length)
{
	size_t at = 0;

	for (; length - at >= sizeof(uint64_t); at += sizeof(uint64_t)) {
		uint64_t word;
		memcpy(&word, text + at, sizeof word);
		if (word & UINT64_C(0x8080808080808080))
			break;
	}
	return at;
}

bool
utf8_check(struct utf8 *utf8, const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (utf8->count == 0) {
			i += ascii(text + i, length - i);
			if (i == length)
				break;
		}
		enum utf8_step step = utf8_add(utf8, (unsigned char)text[i]);
		if (step == UTF8_BAD)
			return false;
		if (step == UTF8_WHOLE)
			utf8->count = 0;
	}
	return true;
}
