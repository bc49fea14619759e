/* Inside the state machine: the content of a message, from DATA or from the
 * chunks of BDAT (RFC 3030), as events. */
#ifndef SMTPD_RECEIVE_H
#define SMTPD_RECEIVE_H

#include <stdbool.h>

#include "smtp.h"

/* The content begins: DATA or the first BDAT, the command of the event, was
 * granted. */
void receive_begin(struct smtp *smtp);

/* What happens next while smtp->receiving. */
const struct smtp_event *receive_next(struct smtp *smtp);

/* LMTP: what is said of the message to the next recipient; NULL where all have
 * been told, or the output has no room. */
const struct smtp_event *receive_verdict(struct smtp *smtp);

/* A verdict was said. */
void receive_judged(struct smtp *smtp);

/* The row's check of BDAT: size and LAST go to smtp->chunk. */
const char *check_bdat(struct smtp *smtp, struct smtp_event *event);

/* True if the command of the event is a BDAT. */
bool is_bdat(const struct smtp *smtp);

/* A BDAT of the event goes on with the message that has begun. */
const struct smtp_event *receive_chunk(struct smtp *smtp);

/*
 * The BDAT of the event was refused, by the reply that begins at start in the
 * output: its octets, if it said how many, are discarded before the reply is
 * to be seen, and the transaction is over (RFC 3030 2). In LMTP, where the
 * caller refused the last one, the other recipients are to be told, too.
 */
void receive_refused(struct smtp *smtp, size_t start);

/* Discards; true while there is more of it to come. */
bool receive_discard(struct smtp *smtp);

#endif
