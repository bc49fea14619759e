/* Runs the command on one message and says what the client is to be told. */
#ifndef SMTPD_DELIVER_H
#define SMTPD_DELIVER_H

#include <stdbool.h>
#include <stddef.h>

#include "command.h"
#include "replies.h"
#include "reply.h"
#include "run.h"

struct delivery {
	struct command *command;
	int timeout; /* seconds; then its process group is killed */
	bool utf8;   /* its reply may hold UTF-8 */
	char *const *environment;
	size_t recipients;   /* in LMTP: each may have a reply; else 0 */
	struct replies each; /* where each had: these, good until the next
			      * call; else empty */
};

/*
 * Feeds the message to the command while taking what it prints, until it has
 * ended or its time is up. Writes the reply (where each recipient has one, that
 * for the log), LF line ends, and returns its
 * octets; 0 where the process was told twice to stop: then it did not wait for
 * the end.
 */
size_t deliver(
    struct delivery *delivery, struct feed *message, char reply[REPLY_MAX + 1]);

#endif
