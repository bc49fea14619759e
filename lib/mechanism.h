/* A SASL mechanism that a hook knows, while it talks with the client: its
 * challenges and its verdict; smtpd-hooks(7). */
#ifndef SMTPD_MECHANISM_H
#define SMTPD_MECHANISM_H

#include <stdbool.h>
#include <stddef.h>

#include "run.h"
#include "sasl.h"
#include "variables.h"

/* = {0} begins one. */
struct mechanism {
	bool running;
	struct run run;
	struct outcome outcome;
	size_t user_length;
	char user[SASL_USER_MAX];
};

enum mechanism_step {
	MECHANISM_CHALLENGE, /* text is one, base64; lent until the next call */
	MECHANISM_OVER,      /* text is the final reply; so is it with 235 */
	MECHANISM_STOPPED    /* told twice to stop */
};

/* What has come. */
struct mechanism_said {
	const char *text;
	size_t length;
	const char *wrong; /* what the hook did that it may not, or NULL */
	char reply[REPLY_MAX + 1];
};

/* Starts the hook with the initial response, or "=", or "". */
enum mechanism_step mechanism_begin(struct mechanism *mechanism,
    struct runnable *runnable, const char *initial, size_t length,
    struct variables *variables, struct mechanism_said *said);

/* Gives it the response to its challenge. */
enum mechanism_step mechanism_answer(struct mechanism *mechanism,
    const char *response, size_t length, struct variables *variables,
    struct mechanism_said *said);

/* Ends it, where it still runs. */
void mechanism_end(struct mechanism *mechanism);

#endif
