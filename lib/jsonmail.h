/* A message and the envelope in the environment as one JSON object on one line
 * (RFC 8259), as smtpd-print(8) describes it; reads no header's meaning. */
#ifndef SMTPD_JSONMAIL_H
#define SMTPD_JSONMAIL_H

#include <stdint.h>

#include "intake.h"
#include "sink.h"

/*
 * Writes the object for the message and when it came, in seconds since 1970.
 * Errors stick to the message and to the sink.
 */
void jsonmail_write(
    struct intake *message, struct sink *sink, int64_t received);

#endif
