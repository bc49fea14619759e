/* What the dialogue tells the agent for the log: commands that it refused, and
 * for --debug every line of the dialogue. */
#ifndef SMTPD_TELLING_H
#define SMTPD_TELLING_H

#include <stdbool.h>
#include <stddef.h>

#include "channel.h"
#include "smtp.h"

/* All but the first three are zero at the beginning. */
struct telling {
	struct channel *channel;
	const struct smtp *smtp;
	bool debug;
	size_t logged; /* octets of output that --debug has seen */
	bool hides;    /* AUTH is over: unknown commands behind it may be
			* responses of a client that has not waited */
	bool urgent;   /* the packet has something for the log: it is to be
			* sent with the output; the reader sets it back */
};

/* For --debug: the lines of output since the last call, up to an octet of it.
 * Whoever writes the output sets logged back to 0. */
void telling_output(struct telling *telling, size_t length);

/* For --debug: what was answered before this event, and its command line. */
void telling_event(struct telling *telling, const struct smtp_event *event);

/* The agent has answered a login, for good or bad. */
void telling_login(struct telling *telling);

/* The command of the event was refused by reply[0..length). */
void telling_refused(struct telling *telling, const struct smtp_event *event,
    const char *reply, size_t length);

#endif
