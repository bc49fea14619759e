/* Runs a hook for a step of the dialogue and says what it wants; smtpd-hooks(7)
 * is what it promises. */
#ifndef SMTPD_CONSULT_H
#define SMTPD_CONSULT_H

#include <stdbool.h>
#include <stddef.h>

#include "export.h"
#include "hooks.h"
#include "reply.h"

struct consultation {
	const struct hook *hook;
	int timeout; /* seconds */
	struct session *session;
	const struct envelope *envelope;
	struct step step;
	const char *input; /* what it reads, lent */
	size_t input_length;
};

/* What came of it. */
struct advice {
	bool stopped;  /* told twice to stop meanwhile: nothing is said */
	size_t length; /* of the reply; 0: go on as if there were no hook */
	char reply[REPLY_MAX + 2]; /* one for a NUL */
};

/* Runs it, sets the variables that it prints in the session. */
void consult(struct consultation *consultation, struct advice *advice);

/* True if the advice is a reply of 4xx or 5xx. */
bool advice_refuses(const struct advice *advice);

/* True if the advice is 421 or 221: the session ends. */
bool advice_ends(const struct advice *advice);

#endif
