/* The Received: line that is put on top of a message (RFC 5321 4.4). */
#ifndef SMTPD_RECEIVED_H
#define SMTPD_RECEIVED_H

#include <stddef.h>
#include <stdint.h>

#include "envelope.h"

/* Octets that a line can have, whatever the client says. */
#define RECEIVED_MAX 4096

/*
 * Writes the line, folded, with line ends of LF or, with crlf, of CRLF. The
 * recipient is named only where there is one (so that none learns of another).
 * Octets of the client's name that a domain cannot have become "?". Now is in
 * seconds since 1970. Returns the octets written; there is no NUL.
 */
size_t received_line(const struct session *session,
    const struct envelope *envelope, int64_t now, bool crlf,
    char out[RECEIVED_MAX]);

#endif
