/* What a delivery program could not do, and why: one line on standard error;
 * never on standard output, which is the client's. */
#ifndef SMTPD_FAILURE_H
#define SMTPD_FAILURE_H

#include <stddef.h>

/* Octets of what could not be done: a path, and words around it. */
#define FAILURE_MAX 4352

struct failure {
	int error; /* errno, 0 where what says it all */
	char what[FAILURE_MAX];
};

/* Names the program that speaks; lent for good. */
void failure_begin(const char *program);

/* Notes what could not be done ("open /srv/mail"; printf's format) and the
 * errno of it; returns -1. */
int failure_note(struct failure *failure, int error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * Says "PROGRAM: cannot WHAT: REASON (HINT)" in one write; a hint that is NULL
 * is what can be done about that errno, where there is something. Control
 * characters become "?".
 */
void failure_say(const struct failure *failure, const char *hint);

/* Notes and says it, and returns status. */
int failure_tell(int status, int error, const char *what, const char *hint);

#endif
