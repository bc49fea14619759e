/* Accepts connections and forks for each; serves none itself. */
#ifndef SMTPD_LISTEN_H
#define SMTPD_LISTEN_H

#include <stdbool.h>
#include <stddef.h>

/* Sockets that connections are accepted from. */
#define LISTEN_MAX 64

struct listener {
	size_t count;
	int sockets[LISTEN_MAX];
	int concurrency; /* connections at once */
	int per_client;  /* from one address; 0: no limit */
};

/*
 * Opens sockets for HOST:PORT, [IPv6]:PORT, :PORT (all addresses of both
 * families), or unix:PATH; port 0 is any. Logs "listening on ADDR:PORT" for
 * each. False, with the reason logged; *usage then says whether address is
 * none at all.
 */
bool listen_open(struct listener *listener, const char *address, bool *usage);

/* Takes over a socket that a launcher has opened. */
bool listen_take(struct listener *listener, int socket);

/*
 * Accepts until told to stop, and waits for the sessions to end. Returns -1
 * then; in the process forked for a connection, its descriptor, at once.
 */
int listen_run(struct listener *listener);

#endif
