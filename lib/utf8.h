/* UTF-8 (RFC 3629) octet by octet, so that a character may be cut anywhere;
 * judges the encoding, never what a character means. */
#ifndef SMTPD_UTF8_H
#define SMTPD_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* The character in hand; = {0} begins a text. */
struct utf8 {
	unsigned char octets[4];
	unsigned char count; /* octets of it so far; 0 between characters */
};

enum utf8_step {
	UTF8_PART,  /* taken; the character goes on */
	UTF8_WHOLE, /* taken; octets[0..count) is a character */
	UTF8_BAD    /* not taken: it cannot follow octets[0..count) */
};

/*
 * Adds the next octet to the character in hand. Overlong forms, surrogates and
 * what lies beyond U+10FFFF are bad. After UTF8_WHOLE and UTF8_BAD the caller
 * reads octets[0..count), sets count to 0, and offers an octet that was not
 * taken once more unless count was 0 already.
 */
enum utf8_step utf8_add(struct utf8 *utf8, unsigned char octet);

/*
 * Checks the next octets of a text: false at the first one that makes it no
 * UTF-8. The whole text is UTF-8 if no call was false and count is 0 at its
 * end.
 */
bool utf8_check(struct utf8 *utf8, const char *text, size_t length);

#endif
