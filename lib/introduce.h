/* The agent's answers to those who say who the client is: PROXY and XCLIENT.
 * Reads no header: it is told what one says, and checks that again. */
#ifndef SMTPD_INTRODUCE_H
#define SMTPD_INTRODUCE_H

#include <stdbool.h>

#include "record.h"
#include "transaction.h"

/* True if a peer, as found, may send a PROXY header. */
bool introduce_may(const struct settings *settings, const struct peer *peer);

/* Takers of the records of those names; as transaction_take(). */
bool introduce_proxy(struct transaction *transaction, const struct record *);
bool introduce_xclient(struct transaction *transaction, const struct record *);

#endif
