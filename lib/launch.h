/* What a launcher left: which descriptors are the client, a listening socket,
 * the log. */
#ifndef SMTPD_LAUNCH_H
#define SMTPD_LAUNCH_H

#include <stdbool.h>

#include "listen.h"

/* How many descriptors the launcher handed over by sd_listen_fds(3), at most
 * LISTEN_MAX + 1. */
int launch_count(void);

/* True if descriptor 2 is the connection, or a listening socket, or closed: the
 * log may not go there. */
bool launch_log_is_client(int handed);

/* Makes descriptor 2 /dev/null, so that nothing written there by mistake can
 * reach the client; false with errno. */
bool launch_mute_log(void);

/*
 * Sorts the descriptors: listening sockets go to listener, a connected one
 * that was handed over becomes 0 and 1, all else above 2 but the descriptors
 * in others[0..count), 4 at most, is closed. Where 0 is a listening socket, 0
 * to 2 are /dev/null after that. False with errno.
 */
bool launch_take(
    int handed, const int *others, size_t count, struct listener *listener);

#endif
