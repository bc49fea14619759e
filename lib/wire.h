/* Carries octets between the client machine and a connection that does not
 * block; knows how long to wait, and nothing of what is said. */
#ifndef SMTPD_WIRE_H
#define SMTPD_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "client.h"

/* The caller's: the machine was begun, the descriptors are his. */
struct wire {
	struct client client;
	int in, out;      /* do not block; may be the same */
	int64_t deadline; /* clock_now() when all must be over */
	bool mute;        /* writing has failed: what remains is to listen */
	char input[8192];
};

/*
 * Waits once, for both, so that neither side can block the other, and reads
 * what there is or, where nothing is, writes what can be written: so a reply
 * cannot be taken for one to what is only now written. Only after CLIENT_READ.
 * What goes wrong is the machine's next event; SIGPIPE must be ignored.
 */
void wire_exchange(struct wire *wire);

/* The next event that is not CLIENT_READ; good until the next call. */
const struct client_event *wire_next(struct wire *wire);

#endif
