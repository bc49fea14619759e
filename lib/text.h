/* Octets and ASCII, whatever the locale; never ctype, never a NUL. */
#ifndef SMTPD_TEXT_H
#define SMTPD_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* ASCII letters in the other case; every other octet unchanged. */
char text_lower(char c);
char text_upper(char c);

bool text_is_letter(char c);
bool text_is_digit(char c);

/* Printable ASCII, the space included: 32 to 126. */
bool text_is_print(char c);

/* True if no octet is above 127. */
bool text_is_ascii(const char *text, size_t length);

/* True if both hold the same octets, ASCII letters compared without case. */
bool text_same(const char *a, size_t a_length, const char *b, size_t b_length);

/* True if text[0..length) has an ASCII control character, NUL and DEL too. */
bool text_has_control(const char *text, size_t length);

/*
 * Octets of the UTF-8 character that text[0..length) begins with (RFC 3629),
 * 0 if it begins with none: no overlong forms, no surrogates, and no C1
 * control characters (U+0080 to U+009F), which terminals obey.
 */
size_t text_utf8(const char *text, size_t length);

/* True if text[0..length) is printable ASCII and such UTF-8, and nothing else:
 * fit for the environment, for a log and a terminal. */
bool text_is_clean(const char *text, size_t length);

#endif
