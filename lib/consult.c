#include "consult.h"

#include <string.h>

#include "hooktext.h"
#include "log.h"
#include "run.h"
#include "sasl.h"

static void
advise(struct advice *advice, const char *reply)
{
	advice->length = strlen(reply);
	memcpy(advice->reply, reply, advice->length);
}

/* Sets the variables that it printed; those of CONNECT outlive the beginning
 * of TLS. False if there are too many. */
static bool
take_variables(struct consultation *of, const char *text, size_t length)
{
	struct hooktext_line line;
	size_t at = 0;
	bool good = true;

	while (hooktext_variable(text, length, &at, &line))
		good = variables_set(session_variables(of->session), line.name,
			   line.name_length, line.value, line.value_length,
			   strcmp(of->step.verb, "CONNECT") == 0) &&
		       good;
	if (!good)
		log_error(
		    "hook %s printed variables that are too many, too long",
		    of->hook->path);
	return good;
}

/* Runs it to its end. */
static void
run_hook(struct consultation *of, struct outcome *outcome)
{
	static const struct spool nothing = {.file = -1};
	char *arguments[] = {of->hook->path, NULL};
	struct command command = {
	    .arguments = arguments,
	    .path = of->hook->path,
	};
	struct feed feed = {
	    .spool = &nothing,
	    .head = of->input,
	    .head_length = of->input_length,
	};
	struct runnable runnable = {
	    .command = &command,
	    .timeout = of->timeout,
	    .what = "hook",
	};

	runnable.environment =
	    export_step(of->session, of->envelope, &of->step);
	run_whole(&runnable, &feed, outcome);
}

/* What it did that it may not, for the log; NULL if nothing. */
static const char *
complaint(const struct consultation *of, const struct outcome *outcome,
    const struct advice *advice, size_t variables)
{
	const char *text = outcome->output + variables;
	size_t length = outcome->length - variables;

	if (outcome->end == VERDICT_KILLED)
		return "was killed";
	if (reply_code(text, length, of->envelope->utf8) != 0)
		return memcmp(text, advice->reply, 3) == 0
			   ? NULL
			   : "printed a reply that says more than its exit "
			     "status";
	if (advice->length > 0 && verdict_success(outcome->status))
		return "printed what is no reply";
	return NULL;
}

/* What is to be said of its end. */
static void
judge(struct consultation *of, const struct outcome *outcome,
    struct advice *advice)
{
	size_t variables;
	const char *wrong;

	if (outcome->end == VERDICT_NOT_RUN) {
		advise(advice, strcmp(of->step.verb, "CONNECT") == 0
				   ? REPLY_NO_GREETING
				   : REPLY_MISCONFIGURED);
		return;
	}
	advice->length = hooktext_verdict(outcome->end, outcome->status,
	    outcome->output, outcome->length, of->envelope->utf8, advice->reply,
	    sizeof advice->reply, &variables);
	wrong = complaint(of, outcome, advice, variables);
	if (wrong)
		log_error("hook %s %s", of->hook->path, wrong);
	if (!take_variables(of, outcome->output, variables))
		advise(advice, REPLY_TRY_LATER);
}

void
consult(struct consultation *of, struct advice *advice)
{
	static struct outcome outcome = {.limit = HOOKTEXT_MAX + 1};

	advice->length = 0;
	outcome.end = VERDICT_NOT_RUN;
	outcome.stopped = false;
	if (of->hook->usable)
		run_hook(of, &outcome);
	advice->stopped = outcome.stopped;
	if (!advice->stopped)
		judge(of, &outcome, advice);
	/* What it printed is not for the dialogue, which may be forked next. */
	if (outcome.output)
		sasl_wipe(outcome.output, outcome.length);
}

bool
advice_refuses(const struct advice *advice)
{
	return advice->length > 0 && advice->reply[0] >= '4';
}

bool
advice_ends(const struct advice *advice)
{
	return advice->length >= 3 && (memcmp(advice->reply, "421", 3) == 0 ||
					  memcmp(advice->reply, "221", 3) == 0);
}
