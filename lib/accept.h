/* Accepts connections and forks for each; serves none itself. */
#ifndef SMTPD_ACCEPT_H
#define SMTPD_ACCEPT_H

#include "listen.h"

struct accept_limits {
	int concurrency; /* connections at once */
	int per_client;  /* from one address; 0: no limit */
};

/*
 * Accepts until told to stop, and waits for the sessions to end: *client is -1
 * then. In the process forked for a connection it returns at once, with the
 * connection in *client. False, with the reason logged, if it cannot begin.
 */
bool accept_run(
    struct listener *listener, const struct accept_limits *limits, int *client);

#endif
