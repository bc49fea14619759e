/* Counts the Received: lines of a message (RFC 5321 6.3), piece by piece;
 * looks at nothing behind the header. */
#ifndef SMTPD_HOPS_H
#define SMTPD_HOPS_H

#include <stdbool.h>
#include <stddef.h>

/* = {0} begins a message. */
struct hops {
	size_t count;   /* Received: lines so far */
	size_t matched; /* octets of "received:" that the line began with */
	enum { HOPS_LINE_START, HOPS_NAME, HOPS_REST, HOPS_BODY } state;
};

/* Takes the next octets of the message; line ends are LF or CRLF. */
void hops_count(struct hops *hops, const char *text, size_t length);

#endif
