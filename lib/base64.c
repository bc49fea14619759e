#include "base64.h"

#include <stdint.h>
#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			       "abcdefghijklmnopqrstuvwxyz"
			       "0123456789+/";

/* Three octets as four letters. */
static char *
put_group(char *out, unsigned char a, unsigned char b, unsigned char c)
{
	uint32_t group = (uint32_t)a << 16 | (uint32_t)b << 8 | c;

	for (int shift = 18; shift >= 0; shift -= 6)
		*out++ = alphabet[group >> shift & 63];
	return out;
}

size_t
base64_encode(struct base64_encoder *encoder, const char *octets, size_t length,
    char *out)
{
	unsigned char *held = encoder->held;
	char *end = out;

	for (size_t i = 0; i < length; i++) {
		unsigned char octet = (unsigned char)octets[i];
		if (encoder->count < 2) {
			held[encoder->count++] = octet;
			continue;
		}
		end = put_group(end, held[0], held[1], octet);
		encoder->count = 0;
	}
	return (size_t)(end - out);
}

size_t
base64_encode_end(struct base64_encoder *encoder, char *out)
{
	unsigned char *held = encoder->held;

	if (encoder->count == 0)
		return 0;
	(void)put_group(out, held[0], encoder->count > 1 ? held[1] : 0, 0);
	out[3] = '=';
	if (encoder->count == 1)
		out[2] = '=';
	encoder->count = 0;
	return 4;
}

bool
base64_decode(const char *text, size_t length, char *out, size_t *decoded)
{
	size_t padding = 0, used = 0;
	uint32_t group = 0;

	if (length % 4 != 0)
		return false;
	while (padding < 2 && length > padding &&
	       text[length - padding - 1] == '=')
		padding++;
	for (size_t i = 0; i < length - padding; i++) {
		const char *letter =
		    memchr(alphabet, text[i], sizeof alphabet - 1);

		if (!letter)
			return false;
		group = group << 6 | (uint32_t)(letter - alphabet);
		/* Each letter but the first of four ends an octet. */
		if (i % 4 > 0)
			out[used++] = (char)(group >> (6 - 2 * (i % 4)));
	}
	*decoded = used;
	return true;
}

bool
base64_valid(const char *text, size_t length)
{
	char octets[3];
	size_t n = 3;

	for (size_t at = 0; at < length; at += 4)
		/* Padding before the end leaves a group short. */
		if (n < 3 || length - at < 4 ||
		    !base64_decode(text + at, 4, octets, &n))
			return false;
	return true;
}
