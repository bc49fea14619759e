/* Where whole messages go that many processes write at once: a descriptor or
 * the end of a file. Locked, so that they never interleave; a regular file
 * gets all of a message or nothing; a terminal gets no control characters. */
#ifndef SMTPD_SINK_H
#define SMTPD_SINK_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "utf8.h"

/* Octets collected before they are written. */
#define SINK_BUFFER 65536

/* = {0} begins one. */
struct sink {
	int descriptor;
	int error;        /* errno of what went wrong first; then it sticks */
	bool terminal;    /* control characters are shown, not sent */
	bool named;       /* a file that sink_open() was given the name of */
	bool regular;     /* can be cut back to start */
	off_t start;      /* where the message begins */
	off_t written;    /* octets of it so far */
	sigset_t signals; /* the mask to go back to */
	struct utf8 utf8; /* a character cut between two writes */
	size_t used;      /* octets in buffer */
	char buffer[SINK_BUFFER];
};

/*
 * Opens the file of that name for appending (it is created by the umask), or
 * with NULL takes descriptor 2. The caller ignores SIGPIPE and SIGXFSZ.
 * Returns 0, or -1 with errno.
 */
int sink_open(struct sink *sink, const char *name);

/*
 * Waits until no other process writes here, then begins a message. The lock
 * is fcntl(2)'s: it also parts processes that share one open descriptor, as
 * the children of one smtpd share its descriptor 2, and holds for terminals,
 * pipes and sockets where the system can (Linux).
 */
void sink_begin(struct sink *sink);

/* Adds octets to the message; after an error it does nothing. */
void sink_write(struct sink *sink, const char *text, size_t length);

/* True if nothing has gone wrong, signals to end included: go on. */
bool sink_good(struct sink *sink);

/*
 * Ends the message. With keep, it is written to its end, a named regular file
 * to the disk too; without, or where that fails, a regular file is cut back to
 * the length it had. The lock is given up. Returns 0, or -1 with errno.
 */
int sink_end(struct sink *sink, bool keep);

#endif
