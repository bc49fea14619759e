/* Sockets that connections are accepted from; accepts none. */
#ifndef SMTPD_LISTEN_H
#define SMTPD_LISTEN_H

#include <stdbool.h>
#include <stddef.h>

/* Sockets that connections are accepted from. */
#define LISTEN_MAX 64

struct listener {
	size_t count;
	int *sockets;      /* LISTEN_MAX at most */
	const char **made; /* the path of each that is a file of ours, else
			    * NULL */
};

/* True if address is spelt as one: HOST:PORT, [IPv6]:PORT, :PORT or
 * unix:PATH. */
bool listen_spelt(const char *address);

/*
 * Opens sockets for HOST:PORT, [IPv6]:PORT, :PORT (all addresses of both
 * families), or unix:PATH; port 0 is any. Only where listen_spelt(). False,
 * with the reason logged.
 */
bool listen_open(struct listener *listener, const char *address);

/* Takes over a socket that a launcher has opened. */
bool listen_take(struct listener *listener, int socket);

/* Logs "listening on ADDR:PORT" for each. */
void listen_announce(const struct listener *listener);

/* Removes the socket files that listen_open() made, as far as it may. */
void listen_remove(const struct listener *listener);

#endif
