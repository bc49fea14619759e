/* A message and its envelope as smtpd gives them to a command, made ready for
 * an upstream: taken in whole, looked through, refused where no SMTP server
 * could be sent it; never changed. */
#ifndef SMTPD_LETTER_H
#define SMTPD_LETTER_H

#include "content.h"
#include "intake.h"
#include "upstream.h"

/* = {0} begins one. */
struct letter {
	struct upstream_envelope envelope;
	struct content content;
	struct intake message;
};

/*
 * Reads message and environment (smtpd-delivery(7)). Returns 0, or the exit
 * status that says what is wrong, with *why: for EX_DATAERR the reply, with its
 * line end, else words for a log. The letter must stay where it is.
 */
int letter_take(struct letter *letter, int descriptor, const char **why);

/* The envelope of the recipient that a RCPT hook is asked about; recipients
 * are empty where RECIPIENT is not set. Size is what MAIL declared. */
struct upstream_envelope letter_candidate(void);

#endif
