/* Signals of agent and listener: blocked but while they wait, so that none is
 * lost between a look and a sleep. */
#ifndef SMTPD_SIGNALS_H
#define SMTPD_SIGNALS_H

#include <poll.h>
#include <signal.h>

/* How handlers run (signals_aside). Memcheck takes the memory that they left
 * for gone, and cannot run them where there is none. */
#ifdef UNCONFINED
#define SIGNALS_FLAGS 0
#else
#define SIGNALS_FLAGS SA_ONSTACK
#endif

/* SIGTERM, SIGINT and SIGHUP are counted, SIGCHLD ends a wait; SIGPIPE and
 * SIGXFSZ become errors of write(2). Forgets what was counted. */
void signals_begin(void);

/*
 * From here on what registers hold when a signal comes, a password perhaps, is
 * kept in memory of its own and not on the stack: in this process and in those
 * that it forks, for handlers with SIGNALS_FLAGS.
 */
void signals_aside(void);

/* Overwrites that memory; signals_wait() does so itself. */
void signals_forget(void);

/* How often the process was told to stop. */
int signals_stops(void);

/* poll(2), ended by any of these signals with EINTR; milliseconds as there. */
int signals_wait(struct pollfd *polled, nfds_t count, int milliseconds);

#endif
