/* The process that decides and runs things: it greets the client, starts the
 * dialogue, and answers its records; it parses no octet from the network. */
#ifndef SMTPD_AGENT_H
#define SMTPD_AGENT_H

#include <stdbool.h>

#include "settings.h"

/*
 * Serves the client on descriptors 0 and 1 until the session has ended.
 * launched says whether the environment speaks of this connection. Returns
 * the exit status: 0, or 70 or 71 (sysexits) if smtpd or the system failed.
 */
int agent_run(struct settings *settings, bool launched);

#endif
