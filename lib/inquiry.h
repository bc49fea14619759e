/* A question to a policy server: what the environment says of client, session
 * and envelope, in the attributes of Postfix's SMTPD_POLICY_README; asks
 * nobody. */
#ifndef SMTPD_INQUIRY_H
#define SMTPD_INQUIRY_H

#include <stdbool.h>
#include <stddef.h>

/* Octets of one; smtpd's command lines are a fraction of it. */
#define INQUIRY_MAX 32768

/* What the environment does not say. */
struct inquiry_about {
	const char *instance; /* which message (instance.h) */
	const char *context;  /* policy_context, may be "" */
	bool name_verified;   /* TCPREMOTEHOST was looked up both ways */
};

/* The stage of the dialogue that SMTP_VERB names, as policy servers call it:
 * DATA for BDAT, EHLO for LHLO, END-OF-MESSAGE where it is not set, as for a
 * command. NULL where they have no name for it. */
const char *inquiry_state(void);

struct inquiry {
	bool cut; /* it does not fit, and must not be asked */
	size_t length;
	char text[INQUIRY_MAX];
};

/*
 * Words it, for a state that is not NULL: lines name=value and an empty one. A
 * value is one line whatever is in it: control characters and what is not
 * UTF-8 are "?" there. False if it does not fit.
 */
bool inquiry_word(struct inquiry *inquiry, const char *state,
    const struct inquiry_about *about);

#endif
