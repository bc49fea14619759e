/* One question to a policy server and its answer, over a connection of their
 * own; gives the answer no meaning. */
#ifndef SMTPD_ENQUIRE_H
#define SMTPD_ENQUIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "action.h"
#include "dial.h"

/* The caller's. */
struct enquire {
	const char *value; /* of the action, in answer */
	size_t length;
	char trouble[DIAL_TROUBLE_MAX]; /* why there is none */
	char answer[ACTION_ANSWER_MAX];
};

/*
 * Asks question[0..length) at a place that dial_parse() knows, and once more
 * on a new connection, a second later, where there was no answer; each time for
 * so many milliseconds at most. SIGPIPE must be ignored. False with
 * enquire->trouble.
 */
bool enquire(struct enquire *enquire, const char *place, const char *question,
    size_t length, int64_t patience);

#endif
