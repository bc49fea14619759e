/* The dialogue's end of the line to the agent: records out in packets, answers
 * in. */
#ifndef SMTPD_CHANNEL_H
#define SMTPD_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>

#include "record.h"

/* Octets of the records of a short message, and of most. */
#define CHANNEL_FEW 480

struct channel {
	int descriptor; /* SOCK_SEQPACKET */
	bool broken;    /* the agent is gone: said for ever */
	size_t heard;   /* octets of the packet that was taken */
	size_t at;      /* of these, taken as records */
	/* Records to send, as long as they are few; so an idle connection has
	 * no packet. */
	size_t few_length;
	char few[CHANNEL_FEW];
	/* All of them, where that is set; then, since it is empty while the
	 * agent is waited for, those that it answers. */
	bool many;
	struct packet *packet;
};

/* Adds a record to those that wait to be sent: one packet a message, mostly.
 * Not between channel_hear() and the last channel_next(). */
void channel_tell(struct channel *channel, const struct record *record);

/* Overwrites what was sent: it may have been a password. */
void channel_forget(struct channel *channel);

/* Sends what waits. */
void channel_send(struct channel *channel);

/* Waits for a packet from the agent, nothing being left to send. */
bool channel_hear(struct channel *channel);

/* Takes the next record of it; false at its end. */
bool channel_next(struct channel *channel, struct record *record);

#endif
