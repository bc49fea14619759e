/* The dialogue's clocks, and the signal to stop: armed before the sandbox,
 * which lets none be set. */
#ifndef SMTPD_ALARM_H
#define SMTPD_ALARM_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Starts both clocks: wait, the longest wait for the client, and session, the
 * longest session (0: none), in seconds; with header a third one, as long as
 * wait. The descriptors are the client's. From here on a read or a write may
 * end in EAGAIN (the wait is over) or EINTR (look again).
 */
void alarm_begin(
    const int *descriptors, size_t count, int wait, int session, bool header);

/* A moment, for alarm_waited(). */
int alarm_now(void);

/* True if the wait that began then is over. */
bool alarm_waited(int since);

/* True if the session has lasted too long. */
bool alarm_session_over(void);

/* True if the header has had its time. */
bool alarm_header_over(void);

/* True if the process was told to stop. */
bool alarm_stopping(void);

#endif
