/* Runs the command on one message and says what the client is to be told. */
#ifndef SMTPD_DELIVER_H
#define SMTPD_DELIVER_H

#include <stdbool.h>
#include <stddef.h>

#include "command.h"
#include "reply.h"
#include "spool.h"
#include "verdict.h"

/* Octets of its output that are looked at. */
#define DELIVER_OUTPUT_MAX (4 * REPLY_MAX)

struct delivery {
	struct command *command;
	int timeout; /* seconds; then its process group is killed */
	bool utf8;   /* its reply may hold UTF-8 */
	char *const *environment;
};

/* How a command ended, and what it had printed by then. */
struct outcome {
	enum verdict_end end; /* VERDICT_NOT_RUN with stopped, too */
	int status;
	bool stopped; /* told twice to stop: its end was not waited for */
	size_t length;
	char output[DELIVER_OUTPUT_MAX + 1]; /* one octet too many: it printed
					      * more */
};

/* Feeds the message to the command while taking what it prints, until it has
 * ended or its time is up. */
void deliver_run(
    struct delivery *delivery, struct feed *message, struct outcome *outcome);

/*
 * The same for a message's delivery. Writes the reply, LF line ends, and
 * returns its octets; 0 where the process was told twice to stop: then it did
 * not wait for the end.
 */
size_t deliver(
    struct delivery *delivery, struct feed *message, char reply[REPLY_MAX + 1]);

#endif
