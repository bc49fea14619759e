/* The inside of JSON strings (RFC 8259 7), piece by piece; makes valid JSON of
 * any octets, and never text that a terminal would obey. */
#ifndef SMTPD_JSON_H
#define SMTPD_JSON_H

#include <stddef.h>

#include "utf8.h"

/* Octets that json_escape() may write for length octets. */
#define JSON_ESCAPED_MAX(length) (6 * ((length) + 1))

/*
 * Writes text[0..length), the next octets of one string, to out and returns
 * the octets written, JSON_ESCAPED_MAX(length) at most. *utf8 keeps a
 * character that was cut until the next call; = {0} begins a string. Control
 * characters, DEL and C1 too, are escaped; what is no UTF-8 becomes U+FFFD.
 */
size_t json_escape(
    struct utf8 *utf8, const char *text, size_t length, char *out);

/* Ends the string, within JSON_ESCAPED_MAX(0): a cut character is U+FFFD. */
size_t json_escape_end(struct utf8 *utf8, char *out);

#endif
