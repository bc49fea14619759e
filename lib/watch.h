/* The agent's watch over the dialogue: takes its records, as long as it does
 * what it should, and no longer than a session may last. */
#ifndef SMTPD_WATCH_H
#define SMTPD_WATCH_H

#include "transaction.h"

enum watch_end {
	WATCH_ON,     /* it goes on: never returned */
	WATCH_OVER,   /* the dialogue has ended, or is to */
	WATCH_BROKEN, /* it sent what it may not */
	WATCH_LATE    /* it should have ended the session long ago */
};

/*
 * Answers the records of transaction's dialogue on its channel, and takes what
 * commands print on standard error, until the dialogue has ended, may not go
 * on, or signals have told twice to stop. Says which; the process is still to
 * be waited for.
 */
enum watch_end watch_keep(struct transaction *transaction);

#endif
