/* What the dialogue hears from the agent: windows that it gives back, replies,
 * and the verdict on a message for each of its recipients. */
#ifndef SMTPD_HEARING_H
#define SMTPD_HEARING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "channel.h"
#include "reply.h"
#include "window.h"

/* All but pointers are zero at the beginning. */
struct hearing {
	struct channel *channel;
	struct window *window;
	bool heard;          /* there is a reply */
	uint64_t recipients; /* that the verdict is for, one after another; of
			      * other replies the record's number */
	size_t length;
	char *verdict; /* REPLY_MAX octets of room */
};

/* Waits for the agent's reply to what it has been told; what was left of the
 * last one is void. */
void hearing_wait(struct hearing *hearing);

/* The verdict for the next recipient, where need be asked for; false if there
 * is none: the agent is gone. */
bool hearing_next(struct hearing *hearing, const char **text, size_t *length);

#endif
