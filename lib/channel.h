/* The dialogue's end of the line to the agent: records out in packets, answers
 * in. */
#ifndef SMTPD_CHANNEL_H
#define SMTPD_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>

#include "record.h"

struct channel {
	int descriptor; /* SOCK_SEQPACKET */
	bool broken;    /* the agent is gone: said for ever */
	size_t heard;   /* octets of the packet that was taken */
	size_t at;      /* of these, taken as records */
	/* Records to send; then, since it is empty while the agent is waited
	 * for, those that it answers. */
	struct packet *packet;
};

/* Adds a record to those that wait to be sent: one packet a message, mostly.
 * Not between channel_hear() and the last channel_next(). */
void channel_tell(struct channel *channel, const struct record *record);

/* Sends what waits. */
void channel_send(struct channel *channel);

/* Waits for a packet from the agent, nothing being left to send. */
bool channel_hear(struct channel *channel);

/* Takes the next record of it; false at its end. */
bool channel_next(struct channel *channel, struct record *record);

#endif
