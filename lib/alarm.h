/* The dialogue's clock, and the signal to stop: armed before the sandbox, which
 * lets none be set or read. It ticks, and each tick interrupts what waits. */
#ifndef SMTPD_ALARM_H
#define SMTPD_ALARM_H

#include <stdbool.h>

/*
 * Starts the clock: wait is the longest wait for the client, session the
 * longest session (0: none), in seconds. From here on a read or a write may end
 * in EINTR: look again. It ticks every twentieth of the shorter of both, but at
 * least every 5 seconds and at most every quarter of one; no wait is longer by
 * more than that than it was to be, and none is shorter.
 */
void alarm_begin(int wait, int session);

/* Milliseconds since alarm_begin(). */
long alarm_now(void);

/* True if a wait for the client that began then is over. */
bool alarm_waited(long since);

/* True if the session has lasted too long. */
bool alarm_session_over(void);

/* True if the process was told to stop. */
bool alarm_stopping(void);

#endif
