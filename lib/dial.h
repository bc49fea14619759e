/* Connections to a place that was named by its address: every address of a
 * host in turn, a Unix socket, or descriptors 6 and 7 (UCSPI); speaks nothing
 * over them. */
#ifndef SMTPD_DIAL_H
#define SMTPD_DIAL_H

#include <netdb.h>
#include <stdbool.h>
#include <stdint.h>

#include "socket.h"

/* What a UCSPI client program reads from, and writes to. */
#define DIAL_UCSPI_IN 6
#define DIAL_UCSPI_OUT 7

/* Octets of a place's name that are kept, and of a complaint, NULs included. */
#define DIAL_PLACE_MAX 320
#define DIAL_TROUBLE_MAX 512

/* = {0} begins one. */
struct dial {
	enum { DIAL_HOST, DIAL_UNIX, DIAL_UCSPI } kind;
	char host[256], port[32];
	struct sockaddr_un path;

	/* Of the connection there is. */
	int in, out; /* do not block, close on exec */
	bool local;  /* its octets do not leave this machine, or are somebody
		      * else's care (UCSPI) */

	/* Inside. */
	bool begun;
	struct addrinfo *list, *next;
	struct addrinfo literal; /* of a host that is an IP address */
	union socket_address address;
	char trouble[DIAL_TROUBLE_MAX]; /* why there is no connection */
};

/*
 * Reads HOST, HOST:PORT, [IPv6], [IPv6]:PORT, unix:PATH or -; a port is a
 * number or a service, port where none is named, which may be NULL: then one
 * must be. False if it is none of these.
 */
bool dial_parse(struct dial *dial, const char *place, const char *port);

/*
 * Connects to the first address, the next time to the next one, until deadline
 * (clock_now()) at most; addresses that cannot be reached are passed over.
 * False when there is none left: dial->trouble says why.
 */
bool dial_next(struct dial *dial, int64_t deadline);

/* True if dial_next() might find another address. */
bool dial_more(const struct dial *dial);

/* Closes the connection. */
void dial_close(struct dial *dial);

/* Gives back what was looked up. */
void dial_end(struct dial *dial);

#endif
