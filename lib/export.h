/* What a command finds in its environment: session and envelope, what hooks
 * have set, and what a launcher left that is not for smtpd alone. */
#ifndef SMTPD_EXPORT_H
#define SMTPD_EXPORT_H

#include <stddef.h>
#include <stdint.h>

#include "envelope.h"

/* The step that a hook is asked about. */
struct step {
	const char *verb;
	const char *argument;  /* with its NUL */
	const char *candidate; /* at RCPT the recipient that is not yet one; or
				* NULL */
	size_t candidate_length;
};

/*
 * The environment for a message of size octets: environ's strings, less the
 * variables that smtpd sets and those meant for smtpd alone, and less what a
 * launcher says of another connection or a proxy; what hooks have set in their
 * place; and PATH, its default where it is missing. An array that ends in NULL,
 * good until the next call; its strings are lent by session, the process's only
 * one, envelope and environ, which does not change. NULL if there is no memory.
 */
char **export_message(const struct session *session,
    const struct envelope *envelope, uint64_t size);

/* The same for a hook: what is not known yet is not set. */
char **export_step(const struct session *session,
    const struct envelope *envelope, const struct step *step);

#endif
