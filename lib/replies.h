/* The replies that a command printed, one for each recipient of LMTP in their
 * order: taken off again, equal ones together. */
#ifndef SMTPD_REPLIES_H
#define SMTPD_REPLIES_H

#include <stdbool.h>
#include <stddef.h>

/* Replies that verdict_parts() has found good; text is another's. */
struct replies {
	const char *text;
	size_t length; /* 0: none are left */
};

/* Takes the next reply, and tells for how many of the next recipients it is;
 * false where none is left. */
bool replies_next(
    struct replies *replies, const char **text, size_t *length, size_t *count);

/* For the log: the first that is no success, else the first. */
void replies_worst(
    const struct replies *replies, const char **text, size_t *length);

#endif
