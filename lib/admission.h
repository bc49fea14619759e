/* The agent's answers to what makes a client more than a stranger: TLS and
 * logins. */
#ifndef SMTPD_ADMISSION_H
#define SMTPD_ADMISSION_H

#include <stdbool.h>

#include "record.h"
#include "transaction.h"

/* Takers of the records of those names; as transaction_take(). */
bool admit_starttls(struct transaction *transaction, const struct record *);
bool admit_login(struct transaction *transaction, const struct record *);
bool admit_challenge(struct transaction *transaction, const struct record *);
bool admit_response(struct transaction *transaction, const struct record *);
bool admit_cancel(struct transaction *transaction, const struct record *);

/* True while a login waits for a response. */
bool admission_open(const struct transaction *transaction);

/* The session is over: ends what still runs. */
void admission_end(void);

#endif
