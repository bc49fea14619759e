/* What others have said, made fit for one line: of a reply, a log or a header;
 * never judges what it says. */
#ifndef SMTPD_CLEAN_H
#define SMTPD_CLEAN_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Writes text[0..length) to out[0..size) and returns the octets written.
 * Printable ASCII stays, with utf8 other UTF-8 too (RFC 5321 4.2, RFC 6531
 * 3.7.4.2); a tab becomes a space, every other octet "?"; spaces at the end
 * go. What does not fit is cut off behind a whole character.
 */
size_t clean(
    const char *text, size_t length, bool utf8, char *out, size_t size);

#endif
