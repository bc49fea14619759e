/* Base64 (RFC 4648 4): encodes piece by piece, decodes whole; breaks no lines,
 * and joins none. */
#ifndef SMTPD_BASE64_H
#define SMTPD_BASE64_H

#include <stdbool.h>
#include <stddef.h>

/* Octets that base64_encode() and base64_encode_end() together may write for
 * length octets in any number of pieces. */
#define BASE64_ENCODED_MAX(length) (((length) + 2) / 3 * 4)

/* What does not fill a group of three yet; = {0} begins a text. */
struct base64_encoder {
	unsigned char held[2];
	unsigned char count;
};

/*
 * Encodes octets[0..length), the next of one text, to out. Returns the octets
 * written: BASE64_ENCODED_MAX(length + 2) at most.
 */
size_t base64_encode(struct base64_encoder *encoder, const char *octets,
    size_t length, char *out);

/* Ends the text with padding; writes and returns 0 or 4 octets. */
size_t base64_encode_end(struct base64_encoder *encoder, char *out);

/*
 * Decodes the whole of text[0..length) to out, which may be text itself, and
 * puts into *decoded how many octets it wrote: at most length / 4 * 3. False
 * where it is no base64: it has another character, a space or a line end too,
 * or is not padded as it must be. Bits of the last letter that are left over
 * may be anything (RFC 4648 3.5 leaves that open, and clients are sloppy).
 */
bool base64_decode(const char *text, size_t length, char *out, size_t *decoded);

/* True if base64_decode() can decode it. */
bool base64_valid(const char *text, size_t length);

#endif
