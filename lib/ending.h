/* Signals that tell a delivery program to end (SIGTERM, SIGINT, SIGHUP), held
 * back so that none ends it halfway through a message. */
#ifndef SMTPD_ENDING_H
#define SMTPD_ENDING_H

#include <signal.h>
#include <stdbool.h>

/* Holds them back; *before, where it is not NULL, gets the mask to go back to.
 * Returns 0, or -1 with errno. */
int ending_hold(sigset_t *before);

/* Waits until there is something to read, or the end of it; -1 with EINTR where
 * one of them has come, or with another errno. They must be held back. */
int ending_wait(int descriptor);

/* True if one has come and is held back. */
bool ending_came(void);

#endif
