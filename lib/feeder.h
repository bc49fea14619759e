/* A process that feeds the rest of a message, which did not fit in the pipe: if
 * smtpd is killed meanwhile, the program that reads it sees its end all the
 * same, and never one that comes too early. */
#ifndef SMTPD_FEEDER_H
#define SMTPD_FEEDER_H

#include <sys/types.h>

#include "spool.h"

/* Starts it; -1 with errno. Whoever starts it keeps the pipe open until it has
 * ended, too: it may be killed itself. */
pid_t feeder_start(struct feed *message, int pipe);

/* How it goes, in the words of spool_feed(): FEED_MORE as long as it runs,
 * FEED_FAILED also where it was killed, and else FEED_DONE. */
enum feed_result feeder_look(pid_t feeder);

/* Ends it, waits for that, and sets it to 0; 0 is none. */
void feeder_end(pid_t *feeder);

#endif
