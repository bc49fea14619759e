/* Asks the program of --auth whether a login is good, by the checkpassword
 * interface; keeps no password. */
#ifndef SMTPD_CHECKER_H
#define SMTPD_CHECKER_H

#include <stddef.h>

/* Three fields, lent, without NUL: user, password, time stamp; of CRAM-MD5
 * user, challenge, response. */
struct checker_fields {
	const char *text[3];
	size_t length[3];
};

/*
 * Runs command by /bin/sh, with the fields, a NUL behind each, on descriptor 3,
 * for timeout seconds at most. Returns the reply: 235 where it exits 0, 535,
 * after a second, where it exits 1, else 454; NULL if told twice to stop
 * meanwhile.
 */
const char *checker_ask(const char *command, int timeout,
    char *const *environment, const struct checker_fields *fields);

#endif
