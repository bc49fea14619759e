/* Where a command is legal, as the agent knows the session: the table's columns
 * once more, for a dialogue that may lie. */
#ifndef SMTPD_SEQUENCE_H
#define SMTPD_SEQUENCE_H

#include <stdbool.h>
#include <stddef.h>

#include "transaction.h"

/* The row of the table for a verb in upper case, NULL if it has none. */
const struct smtp_command *sequence_row(
    const struct transaction *transaction, const char *verb, size_t length);

/* True if a sound dialogue may let the command of this row pass now: by the
 * state of the session and by what the options ask for. */
bool sequence_allows(
    const struct transaction *transaction, const struct smtp_command *row);

/* The same of the row for a verb. */
bool sequence_allows_verb(
    const struct transaction *transaction, const char *verb);

#endif
