/* Fuzzes logins: base64 both ways, and PLAIN, LOGIN and CRAM-MD5 up to user and
 * password. The first octet of an input is options; each line behind it is one
 * of the client's. */
#include "sasl.h"

#include "base64.h"
#include "fuzz.h"

/* Encoded and decoded again it is the same, in any number of pieces. */
static void
judge_base64(const char *text, size_t length, uint32_t seed)
{
	struct base64_encoder encoder = {0};
	char *encoded = malloc(BASE64_ENCODED_MAX(length) + 8);
	size_t used = 0, decoded;

	if (!encoded)
		abort();
	for (size_t at = 0, n; at < length; at += n) {
		n = fuzz_cut(&seed, length - at);
		used += base64_encode(&encoder, text + at, n, encoded + used);
	}
	used += base64_encode_end(&encoder, encoded + used);
	DEMAND(used == BASE64_ENCODED_MAX(length));
	DEMAND(base64_valid(encoded, used));
	DEMAND(base64_decode(encoded, used, encoded, &decoded));
	DEMAND(fuzz_same(encoded, decoded, text, length));
	free(encoded);
}

/* Padded, of its alphabet, and nothing else. */
static void
judge_decoding(const char *text, size_t length)
{
	static const char letters[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char *out = malloc(length + 1);
	size_t decoded = 0, padding = 0;
	bool good;

	if (!out)
		abort();
	good = base64_decode(text, length, out, &decoded);
	DEMAND(good == base64_valid(text, length));
	if (good) {
		while (padding < 2 && padding < length &&
		       text[length - padding - 1] == '=')
			padding++;
		DEMAND(length % 4 == 0);
		DEMAND(decoded == length / 4 * 3 - padding);
		for (size_t i = 0; i < length - padding; i++)
			DEMAND(text[i] && strchr(letters, text[i]));
	}
	free(out);
}

static void
judge_done(const struct sasl *sasl)
{
	DEMAND(sasl_user_valid(sasl->user, sasl->user_length));
	DEMAND(!fuzz_controls(sasl->user, sasl->user_length, ""));
	DEMAND(!memchr(sasl->password, '\0', sasl->password_length));
	if (sasl->mechanism == SASL_CRAM_MD5)
		DEMAND(sasl->password_length == 32);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct sasl sasl;
	struct fuzz fuzz = fuzz_begin(data, size), line;
	unsigned options = fuzz_octet(&fuzz);
	enum sasl_step step = SASL_ASK;
	bool first = options & 4;

	judge_base64(fuzz.text, fuzz.length, options);
	sasl_begin(&sasl, (enum sasl_mechanism)(1 + (options & 3) % 3));
	for (int lines = 0; step == SASL_ASK && fuzz.length > 0; lines++) {
		char *text;

		DEMAND(lines < 3);
		line = fuzz_part(&fuzz, '\n');
		judge_decoding(line.text, line.length);
		text = fuzz_copy(line.text, line.length);
		step = first ? sasl_initial(&sasl, text, line.length)
			     : sasl_response(&sasl, text, line.length);
		first = false;
		if (step == SASL_DONE)
			judge_done(&sasl);
		free(text);
	}
	return 0;
}
