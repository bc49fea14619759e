#include "consult.h"

#include <string.h>

#include "deliver.h"
#include "log.h"
#include "text.h"

static void
advise(struct advice *advice, const char *reply)
{
	advice->length = strlen(reply);
	memcpy(advice->reply, reply, advice->length);
}

/* A line "X_NAME=value" at the start of text: octets with its line end, 0 if it
 * is none. */
static size_t
variable_line(const char *text, size_t length, size_t *name, size_t *whole)
{
	const char *newline = memchr(text, '\n', length);
	size_t n = newline ? (size_t)(newline - text) : length, at = 2;

	if (n < 2 || text[0] != 'X' || text[1] != '_')
		return 0;
	while (at < n && (text_is_digit(text[at]) || text[at] == '_' ||
			     (text[at] >= 'A' && text[at] <= 'Z')))
		at++;
	if (at == 2 || at == n || text[at] != '=')
		return 0;
	*name = at;
	*whole = n > 0 && text[n - 1] == '\r' ? n - 1 : n;
	return newline ? n + 1 : n;
}

/* Sets the variables in front of the reply, whose offset it returns; in *good
 * whether all of them could be. */
static size_t
take_variables(struct consultation *of, const char *text, size_t length,
    bool marked, bool *good)
{
	size_t at = 0, used, name, whole;

	while (
	    (used = variable_line(text + at, length - at, &name, &whole)) > 0) {
		const char *line = text + at;

		if (text_has_control(line, whole) ||
		    !variables_set(&of->session->variables, line, name,
			line + name + 1, whole - name - 1, marked))
			*good = false;
		at += used;
	}
	return at;
}

void
consult(struct consultation *of, struct advice *advice)
{
	static const struct spool nothing = {.file = -1};
	static struct outcome outcome;
	char *arguments[] = {of->hook->path, NULL};
	struct command command = {.arguments = arguments};
	struct feed feed = {
	    .spool = &nothing,
	    .head = of->input,
	    .head_length = of->input_length,
	};
	struct delivery delivery = {
	    .command = &command,
	    .timeout = of->timeout,
	    .utf8 = of->envelope->utf8,
	};
	bool connect = strcmp(of->step.verb, "CONNECT") == 0, good = true;
	size_t at;

	advice->length = 0;
	advice->stopped = false;
	if (!of->hook->usable ||
	    strlen(of->hook->path) >= sizeof command.path) {
		advise(
		    advice, connect ? REPLY_NO_GREETING : REPLY_MISCONFIGURED);
		return;
	}
	strcpy(command.path, of->hook->path);
	delivery.environment =
	    envelope_step_environment(of->session, of->envelope, &of->step);
	deliver_run(&delivery, &feed, &outcome);
	advice->stopped = outcome.stopped;
	if (advice->stopped)
		return;
	at = take_variables(of, outcome.output, outcome.length, connect, &good);
	if (outcome.end == VERDICT_EXITED && verdict_success(outcome.status)) {
		if (good && at == outcome.length)
			return;
		if (!good || reply_code(outcome.output + at,
				 outcome.length - at, delivery.utf8) == 0) {
			log_error(
			    "hook %s printed what is no reply", of->hook->path);
			advise(advice, REPLY_TRY_LATER);
			return;
		}
	}
	advice->length = verdict(outcome.end, outcome.status,
	    outcome.output + at, outcome.length - at, delivery.utf8,
	    advice->reply, sizeof advice->reply);
}

bool
advice_refuses(const struct advice *advice)
{
	return advice->length > 0 && advice->reply[0] >= '4';
}
