/* The events of a session as lines of the log; smtpd(8), LOGGING. */
#ifndef SMTPD_JOURNAL_H
#define SMTPD_JOURNAL_H

#include <stddef.h>
#include <stdint.h>

#include "envelope.h"
#include "peer.h"
#include "record.h"

/* A message that has been answered. */
struct journal_message {
	uint64_t number; /* on the connection, from 1 */
	uint64_t size;   /* octets */
	int64_t since;   /* clock_now() when its delivery began */
	const char *reply;
	size_t length; /* of reply; its first line is logged */
};

/* Who the client is; proxy is who said so, or NULL. */
void journal_connect(const struct peer *peer, const struct peer *proxy);
void journal_message(const struct session *session,
    const struct envelope *envelope, const struct journal_message *message);

/* A command that was refused: RECORD_REFUSED. */
void journal_refused(const struct peer *peer, const struct record *record);

/* A line of the dialogue: RECORD_SAID. */
void journal_said(const struct record *record);

/* That there is no sandbox, for which the system gives this reason, an errno;
 * refusing: that nothing is done without. */
void journal_exposed(int error, bool refusing);

/* The end: why, how many messages, since when by clock_now(). */
void journal_end(const char *reason, uint64_t messages, int64_t since);

#endif
