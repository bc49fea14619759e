/* The end of a session, as the agent brings it about: of the dialogue, of the
 * client's connection, of what else runs; the last hook, the last log line. */
#ifndef SMTPD_FAREWELL_H
#define SMTPD_FAREWELL_H

#include "transaction.h"
#include "watch.h"

/* The end of a session that the dialogue had, which is killed unless it has
 * ended by itself. Returns the exit status: 0, or of sysexits.h. */
int farewell_say(struct transaction *transaction, enum watch_end how);

/* The end of one whose greeting was a good-bye: there is no dialogue. */
void farewell_refuse(struct transaction *transaction);

/* The end of one whose client is gone, or has been told why: there is no
 * dialogue, either. */
void farewell_end(struct transaction *transaction);

#endif
