/* What the hooks say of a session's steps: announced by the dialogue, asked,
 * and answered. A step that has a hook cannot be taken without it. */
#ifndef SMTPD_DECISION_H
#define SMTPD_DECISION_H

#include <stdbool.h>
#include <stddef.h>

#include "consult.h"
#include "record.h"
#include "transaction.h"

enum decision {
	REFUSED,
	GRANTED,
	UNSOUND /* a sound dialogue would have announced the step */
};

/* RECORD_HOOK: which step is to come. False if a sound dialogue would not have
 * said so: what else has a hook, CONNECT or AUTH, is not for it to say. */
bool decision_announce(
    struct transaction *transaction, const struct record *record);

/* RECORD_TEXT: what the hook is to read, with CRLF; false as above. */
bool decision_text(
    struct transaction *transaction, const struct record *record);

/* The row of the step that is to come now; NULL: none was announced. */
const struct smtp_command *decision_announced(void);

/* True if verb has a hook. */
bool decision_needed(const struct transaction *transaction, const char *verb);

/* Asks the hook for verb, if it has one, and answers the dialogue; candidate is
 * a recipient, or NULL. */
enum decision decision_make(struct transaction *transaction, const char *verb,
    const char *candidate, size_t candidate_length);

/* The moments that no record is sent of: before the greeting, after the end.
 * verb is the hook's name; what it says is in *advice. */
void decision_moment(
    struct transaction *transaction, const char *verb, struct advice *advice);

/* Logs that a command was refused. */
void decision_refused(
    struct transaction *transaction, const char *command, const char *reply);

#endif
