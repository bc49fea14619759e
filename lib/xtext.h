/* xtext (RFC 3461 4): any octet as printable ASCII; judges the spelling, never
 * what is spelt. */
#ifndef SMTPD_XTEXT_H
#define SMTPD_XTEXT_H

#include <stddef.h>

/*
 * Reads the next octet of the xtext text[0..length) into *octet: "!" to "~"
 * but "+" and "=" stands for itself, "+" and two hexadecimal digits, in upper
 * case as the RFC has them, for any octet, NUL and line feed too. Returns the
 * octets read, 1 or 3; 0 at the end, and where there is no xtext.
 */
size_t xtext_next(const char *text, size_t length, char *octet);

#endif
