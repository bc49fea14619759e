/* Runs the command on one message and says what the client is to be told. */
#ifndef SMTPD_DELIVER_H
#define SMTPD_DELIVER_H

#include <stdbool.h>
#include <stddef.h>

#include "command.h"
#include "reply.h"
#include "run.h"

struct delivery {
	struct command *command;
	int timeout; /* seconds; then its process group is killed */
	bool utf8;   /* its reply may hold UTF-8 */
	char *const *environment;
};

/*
 * Runs the command on the message. Writes the reply, LF line ends, and
 * returns its octets; 0 where the process was told twice to stop: then it did
 * not wait for the end.
 */
size_t deliver(
    struct delivery *delivery, struct feed *message, char reply[REPLY_MAX + 1]);

#endif
