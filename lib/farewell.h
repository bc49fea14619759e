/* The end of a session, as the agent brings it about: of the dialogue, of the
 * client's connection, of what else runs; the last hook, the last log line. */
#ifndef SMTPD_FAREWELL_H
#define SMTPD_FAREWELL_H

#include "transaction.h"
#include "watch.h"

/* The end of a session that the dialogue had, which is killed unless it has
 * ended by itself. Returns the exit status: 0, or of sysexits.h. */
int farewell_say(struct transaction *transaction, enum watch_end how);

/* The end of one that has no dialogue, and whose client has been told so; why
 * is for the log. */
void farewell_early(struct transaction *transaction, const char *why);

/* The end of one whose client is gone: there is no dialogue, either. */
void farewell_end(struct transaction *transaction);

#endif
