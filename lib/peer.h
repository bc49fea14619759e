/* Who is at the other end: from the socket, else from the launcher's words;
 * asks no name server. */
#ifndef SMTPD_PEER_H
#define SMTPD_PEER_H

#include <stdbool.h>

#include "network.h"

enum peer_kind {
	PEER_UNKNOWN, /* a pipe or socket pair, and the launcher says nothing */
	PEER_TCP,
	PEER_UNIX, /* a Unix socket that has a name */
	PEER_LOCAL /* a terminal or a regular file */
};

struct peer {
	enum peer_kind kind;
	bool named;   /* PEER_UNIX: its name is in the file system */
	bool network; /* descriptor 0 is a network socket; PEER_UNKNOWN: the
		       * client is gone */
	struct ip ip; /* PEER_TCP only, like all below; texts may be empty */
	char remote_ip[NETWORK_TEXT_MAX];
	char remote_port[6];
	char local_ip[NETWORK_TEXT_MAX];
	char local_port[6];
};

/* Finds the peer of descriptor; launched says whether a launcher's words in
 * the environment count. */
void peer_find(struct peer *peer, int descriptor, bool launched);

/* Where it is from, for sentences; good as long as peer. */
const char *peer_name(const struct peer *peer);

/* True if it is on this machine, as far as can be known for certain. */
bool peer_is_local(const struct peer *peer);

#endif
