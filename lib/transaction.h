/* The agent's answers to what the dialogue records: one mail transaction after
 * another, each checked again as if a stranger had sent it. */
#ifndef SMTPD_TRANSACTION_H
#define SMTPD_TRANSACTION_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "envelope.h"
#include "record.h"
#include "replies.h"
#include "settings.h"
#include "spool.h"

struct transaction {
	struct settings *settings;
	struct session session;
	struct peer *peer; /* whom session has */
	struct envelope envelope;
	struct spool spool;
	int channel; /* to the dialogue */
	pid_t dialogue;
	struct replies replies; /* LMTP: verdicts not yet asked for */
	bool stopped;           /* told twice to stop while a command ran */
	bool introduced;        /* the PROXY header has come */
	bool refused;           /* the greeting was a refusal, or is to come */
	bool data;              /* the hook has let DATA or BDAT pass */
	bool tls;               /* the same of STARTTLS */
	bool moved;             /* the client is no longer on 0 and 1 */
	bool ended;             /* what was said is the end of the session */
	size_t logins_refused;  /* since the last message that was accepted */
	char challenge[128];    /* of CRAM-MD5, "" when none is out */
	uint64_t messages;
	int64_t begun; /* by clock_now() */
	bool told_end; /* the dialogue has said that it ends */
	char end[32];  /* why the session ended, in the dialogue's words */
};

/* Answers the dialogue. */
void transaction_answer(
    struct transaction *transaction, const struct record *record);

/* Forgets the message that is being sent. */
void transaction_reset(struct transaction *transaction);

/* Does what a record asks for, and answers it where it is to be answered.
 * False if a sound dialogue would not have sent it. */
bool transaction_take(
    struct transaction *transaction, const struct record *record);

#endif
