/* Rooms: base64
 * Eva: -eva-slevel-function prove_memchr:0
 * Texts up to LENGTH octets; the encoder in any state. */
#include "base64.h"

#include "prove.h"

enum { LENGTH = 13 };

static void
decode(size_t length)
{
	char *text = octets(length), *out = room(length / 4 * 3);
	size_t decoded;

	if (base64_decode(text, length, out, &decoded) && decoded > 0)
		(void)out[decoded - 1];
	(void)base64_valid(text, length);
	/* In place, as is allowed. */
	(void)base64_decode(text, length, text, &decoded);
}

static void
encode(size_t length, unsigned char count)
{
	struct base64_encoder encoder;
	char *out = room(BASE64_ENCODED_MAX(length + 2)), end[4];

	ANYTHING(encoder);
	encoder.count = count;
	(void)base64_encode(&encoder, octets(length), length, out);
	//@ assert encoder.count <= 2;
	(void)base64_encode_end(&encoder, end);
}

void
prove(void)
{
	//@ loop unroll 99;
	for (size_t length = 0; length <= LENGTH; length++) {
		decode(length);
		//@ loop unroll 99;
		for (unsigned char count = 0; count <= 2; count++)
			encode(length, count);
	}
}
