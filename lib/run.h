/* A program run on something to read: fed, listened to, waited for, ended by
 * force when its time is up; judges nothing. */
#ifndef SMTPD_RUN_H
#define SMTPD_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "command.h"
#include "reply.h"
#include "spool.h"
#include "verdict.h"

struct runnable {
	struct command *command;
	int timeout;  /* seconds; then its process group is killed */
	bool feeds_3; /* it reads from descriptor 3, and nothing from 0 */
	char *const *environment;
	const char *what; /* what it is called in the log; NULL: command */
};

/* How it ended, and what it had printed by then. = {.limit = …} begins one; its
 * memory is kept for the next run. Memory that is not from malloc() may be
 * given, where it is enough for any limit. */
struct outcome {
	size_t limit;         /* octets of output that are looked at */
	enum verdict_end end; /* VERDICT_NOT_RUN with stopped, too */
	int status;
	bool stopped;  /* told twice to stop: its end was not waited for */
	size_t length; /* of output, limit at most */
	size_t room;   /* that there is memory for */
	char *output;
};

/* Feeds the message to the program while taking what it prints, until it has
 * ended or its time is up. */
void run_whole(
    struct runnable *runnable, struct feed *message, struct outcome *outcome);

/* One that is running, for those who talk with it. */
struct run {
	pid_t pid;
	int in;    /* to its descriptor 0; -1 when it is closed */
	int out;   /* from its descriptor 1 */
	int held;  /* a copy of that: out ends when we close it, and its end
		    * is not told twice */
	bool more; /* in stays open behind the message */
	bool fed;  /* the message is written */
	int64_t deadline;
	const char *what; /* as in struct runnable */
	bool failed;      /* it cannot have the whole message: it was killed */
	pid_t feeder;     /* who feeds it; 0: we do */
	struct outcome *outcome;
};

/* Starts it, with message as the first that it reads; more may be written to
 * in, which does not block. False, with the reason logged. A run that was
 * started is over when run_attend() or run_kill() says so. */
bool run_start(struct run *run, struct runnable *runnable, struct feed *message,
    struct outcome *outcome, bool more);

/* Waits for output, its end, or the time to be up, once. True when it has
 * ended: then *outcome is whole. */
bool run_attend(struct run *run, struct feed *message);

/* Kills it, and waits for that. */
void run_kill(struct run *run);

#endif
