/* What the client is told of a command's end: its exit status and what it
 * printed, by the table of sysexits and qmail; runs nothing. */
#ifndef SMTPD_VERDICT_H
#define SMTPD_VERDICT_H

#include <stdbool.h>
#include <stddef.h>

/* How a command ended. */
enum verdict_end {
	VERDICT_EXITED, /* with a status */
	VERDICT_KILLED, /* by a signal, or by us when its time was up */
	VERDICT_NOT_RUN /* it could not be started */
};

/*
 * Writes to reply the one reply, with LF line ends (the last may be bare), that
 * follows from the end, the status (0 to 255, for VERDICT_EXITED) and the
 * command's standard output. The output words the reply if it is one and says
 * no more than the status. Returns the octets written, at most size; size
 * must be REPLY_MAX + 1 at least. Sources: sysexits(3), qmail-command(8), RFC
 * 3463.
 */
size_t verdict(enum verdict_end end, int status, const char *output,
    size_t length, bool utf8, char *reply, size_t size);

/* What a command's output is to the recipients of LMTP. */
enum verdict_parts {
	VERDICT_ALL,  /* none or one reply: verdict() has it for all */
	VERDICT_EACH, /* a reply for each of them, in order */
	VERDICT_WRONG /* any other number, or one that says more than the
		       * status: as if it had been killed */
};

/* The same for a message that count recipients have, where the command exited
 * with that status. */
enum verdict_parts verdict_parts(
    int status, const char *output, size_t length, bool utf8, size_t count);

/* True if the status means success: 0, and qmail's 99. */
bool verdict_success(int status);

#endif
