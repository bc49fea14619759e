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

/* What it printed beside success: nothing, variables, a reply behind them.
 * False where it is none of this. */
static bool
well_formed(const struct consultation *of, const struct outcome *outcome,
    size_t at, bool good)
{
	const char *path = of->hook->path, *reply = outcome->output + at;
	size_t length = outcome->length - at;

	if (!good || outcome->length > DELIVER_OUTPUT_MAX) {
		log_error("hook %s printed variables that are too many, too "
			  "long or hold control characters",
		    path);
		return false;
	}
	if (length > 0 && reply_code(reply, length, of->envelope->utf8) == 0) {
		log_error("hook %s printed what is no reply", path);
		return false;
	}
	return true;
}

/* What is to be said of its end. */
static void
judge(struct consultation *of, const struct outcome *outcome, bool connect,
    struct advice *advice)
{
	bool good = true, utf8 = of->envelope->utf8;
	size_t at;

	if (outcome->end == VERDICT_NOT_RUN) {
		advise(
		    advice, connect ? REPLY_NO_GREETING : REPLY_MISCONFIGURED);
		return;
	}
	if (outcome->end == VERDICT_KILLED) {
		advise(advice, REPLY_TRY_LATER);
		return;
	}
	at = take_variables(
	    of, outcome->output, outcome->length, connect, &good);
	if (verdict_success(outcome->status)) {
		if (!well_formed(of, outcome, at, good)) {
			advise(advice, REPLY_TRY_LATER);
			return;
		}
		if (at == outcome->length)
			return;
	}
	advice->length = verdict(outcome->end, outcome->status,
	    outcome->output + at, outcome->length - at, utf8, advice->reply,
	    sizeof advice->reply);
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
	};

	advice->length = 0;
	outcome.end = VERDICT_NOT_RUN;
	outcome.stopped = false;
	if (of->hook->usable && strlen(of->hook->path) < sizeof command.path) {
		strcpy(command.path, of->hook->path);
		delivery.environment = envelope_step_environment(
		    of->session, of->envelope, &of->step);
		deliver_run(&delivery, &feed, &outcome);
	}
	advice->stopped = outcome.stopped;
	if (!advice->stopped)
		judge(of, &outcome, strcmp(of->step.verb, "CONNECT") == 0,
		    advice);
}

bool
advice_refuses(const struct advice *advice)
{
	return advice->length > 0 && advice->reply[0] >= '4';
}
