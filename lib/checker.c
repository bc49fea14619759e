#include "checker.h"

#include <string.h>

#include "clock.h"
#include "log.h"
#include "paged.h"
#include "reply.h"
#include "run.h"
#include "sasl.h"
#include "signals.h"

/* Milliseconds that a guess costs. */
#define DELAY 1000

/* Octets of all fields, as they come out of SASL_LINE_MAX octets of base64,
 * with NULs. */
#define FIELDS_MAX (2 * SASL_LINE_MAX)

static size_t
put_fields(const struct checker_fields *fields, char out[FIELDS_MAX])
{
	size_t used = 0;

	for (size_t i = 0; i < 3; i++) {
		if (fields->length[i] + 1 > FIELDS_MAX - used)
			__builtin_trap();
		memcpy(out + used, fields->text[i], fields->length[i]);
		used += fields->length[i];
		out[used++] = '\0';
	}
	return used;
}

static void
wait_a_while(void)
{
	int64_t until = clock_now() + DELAY, left;

	while ((left = until - clock_now()) > 0 && signals_stops() < 2)
		(void)signals_wait(NULL, 0, (int)left);
}

const char *
checker_ask(const char *text, int timeout, char *const *environment,
    const struct checker_fields *fields)
{
	static const struct spool nothing = {.file = -1};
	static struct outcome outcome = {.limit = 1};
	static PAGED char credentials[FIELDS_MAX];
	char shell[] = "sh", option[] = "-c";
	/* execve(2) changes none of them. */
	char *arguments[] = {shell, option, (char *)text, NULL};
	struct command command = {.arguments = arguments, .path = "/bin/sh"};
	struct runnable runnable = {
	    .command = &command,
	    .timeout = timeout,
	    .feeds_3 = true,
	    .environment = environment,
	    .what = "login checker",
	};
	struct feed feed = {.spool = &nothing, .head = credentials};

	feed.head_length = put_fields(fields, credentials);
	run_whole(&runnable, &feed, &outcome);
	sasl_wipe(credentials, feed.head_length);
	sasl_wipe(outcome.output, outcome.length); /* it may repeat them */
	if (outcome.stopped)
		return NULL;
	if (outcome.end == VERDICT_EXITED && outcome.status == 0)
		return REPLY_LOGGED_IN;
	if (outcome.end == VERDICT_EXITED && outcome.status == 1) {
		wait_a_while();
		return REPLY_CREDENTIALS;
	}
	if (outcome.end == VERDICT_EXITED)
		log_error("the login checker (--auth) failed: exit status %d",
		    outcome.status);
	else
		log_error("the login checker (--auth) was killed");
	return REPLY_LOGIN_FAILED;
}
