/* Which message a question to a policy server is about: an id that all of one
 * message's questions have and no other message's; remembered in a variable
 * that hooks hand on, for smtpd(8) numbers sessions and no messages. */
#ifndef SMTPD_INSTANCE_H
#define SMTPD_INSTANCE_H

#include <stdbool.h>

/* Octets of one, a NUL included. */
#define INSTANCE_MAX 160

/*
 * Finds it for a state (inquiry.h), remembered being the variable's value or
 * NULL: MAIL begins a message, and so does RCPT where no recipient has been
 * taken and MAIL is not among those who ask. True if it is new and later hooks
 * have to know it.
 */
bool instance_find(
    const char *state, const char *remembered, char instance[INSTANCE_MAX]);

#endif
