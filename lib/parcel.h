/* A message on its way into a session that waits for content, with something
 * put in where that is wanted; changes nothing but line ends. */
#ifndef SMTPD_PARCEL_H
#define SMTPD_PARCEL_H

#include <stdint.h>

#include "environment.h"
#include "intake.h"
#include "wire.h"

/* The message from its beginning on, and extra (LF or CRLF line ends) put in
 * at that offset. */
struct parcel {
	struct intake *message;
	uint64_t offset;
	struct piece extra;
};

/*
 * Sends all of it and the final dot, after CLIENT_DATA with 354. NULL: the
 * verdicts are due, although some of it may still be in the output. Else the
 * event that came instead: upstream does not have the message.
 */
const struct client_event *parcel_send(
    struct parcel *parcel, struct wire *wire);

#endif
