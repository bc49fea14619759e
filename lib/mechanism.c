#include "mechanism.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "hooktext.h"
#include "smtp.h"

static const struct spool nothing = {.file = -1};

/* Runs on until there is more output, or it has ended. */
static void
wait_for_more(struct mechanism *mechanism)
{
	struct feed feed = {.spool = &nothing};
	size_t before = mechanism->outcome.length;

	while (mechanism->running && mechanism->outcome.length == before)
		if (run_attend(&mechanism->run, &feed))
			mechanism->running = false;
}

/* The first length octets of its output are done with. */
static void
forget(struct mechanism *mechanism, size_t length)
{
	struct outcome *outcome = &mechanism->outcome;

	if (length == 0)
		return;
	outcome->length -= length;
	memmove(outcome->output, outcome->output + length, outcome->length);
}

/* What it did that it may not, for the log; NULL if nothing. */
static const char *
complaint(const struct outcome *outcome, bool malformed, const char *reply)
{
	if (malformed)
		return "printed what it may not";
	if (outcome->end == VERDICT_NOT_RUN)
		return NULL;
	if (outcome->end == VERDICT_KILLED)
		return "was killed";
	return outcome->length >= 3 && memcmp(outcome->output, reply, 3) == 0
		   ? NULL
		   : "printed no reply that its exit status allows";
}

/* The verdict: what it has printed, all of it, and how it ended. */
static enum mechanism_step
conclude(
    struct mechanism *mechanism, bool malformed, struct mechanism_said *said)
{
	struct outcome *outcome = &mechanism->outcome;

	if (malformed)
		mechanism_end(mechanism);
	while (mechanism->running)
		wait_for_more(mechanism);
	if (outcome->stopped)
		return MECHANISM_STOPPED;
	said->text = said->reply;
	said->length = hooktext_login(outcome->end, outcome->status,
	    outcome->output, malformed ? 0 : outcome->length, false,
	    mechanism->user_length > 0, said->reply, sizeof said->reply);
	said->wrong = complaint(outcome, malformed, said->reply);
	return MECHANISM_OVER;
}

static bool
take_variable(const struct hooktext_line *line, struct variables *variables)
{
	return variables_set(variables, line->name, line->name_length,
	    line->value, line->value_length, false);
}

/* Reads what it says, line by line, up to a challenge or its last word. */
static enum mechanism_step
listen_to(struct mechanism *mechanism, struct variables *variables,
    struct mechanism_said *said)
{
	struct outcome *outcome = &mechanism->outcome;

	for (;;) {
		char *newline = memchr(outcome->output, '\n', outcome->length);
		struct hooktext_line line;
		size_t length;

		if (!newline && mechanism->running &&
		    outcome->length < outcome->limit) {
			wait_for_more(mechanism);
			continue;
		}
		length = newline ? (size_t)(newline - outcome->output)
				 : outcome->length;
		hooktext_line(outcome->output, length, &line);
		switch (line.kind) {
		case HOOKTEXT_VARIABLE:
			if (!take_variable(&line, variables))
				return conclude(mechanism, true, said);
			break;
		case HOOKTEXT_USER:
			mechanism->user_length = line.value_length;
			memcpy(mechanism->user, line.value, line.value_length);
			break;
		case HOOKTEXT_CHALLENGE:
			if (!mechanism->running ||
			    line.value_length > SMTP_CHALLENGE_MAX)
				return conclude(mechanism, true, said);
			memcpy(said->reply, line.value, line.value_length);
			said->text = said->reply;
			said->length = line.value_length;
			forget(mechanism, length + 1);
			return MECHANISM_CHALLENGE;
		case HOOKTEXT_REPLY:
			return conclude(mechanism, false, said);
		case HOOKTEXT_OTHER:
			return conclude(mechanism, outcome->length > 0, said);
		}
		forget(mechanism, newline ? length + 1 : length);
	}
}

enum mechanism_step
mechanism_begin(struct mechanism *mechanism, struct runnable *runnable,
    const char *initial, size_t length, struct variables *variables,
    struct mechanism_said *said)
{
	char line[SASL_LINE_MAX + 1];
	struct feed feed = {
	    .spool = &nothing,
	    .head = line,
	    .head_length = length + 1,
	};

	if (length > SASL_LINE_MAX)
		__builtin_trap();
	memcpy(line, initial, length);
	line[length] = '\n';
	mechanism->user_length = 0;
	mechanism->outcome.limit = HOOKTEXT_MAX + 1;
	runnable->what = "hook";
	mechanism->running = run_start(
	    &mechanism->run, runnable, &feed, &mechanism->outcome, true);
	sasl_wipe(line, length);
	/* A pipe with less room than is usual. */
	if (mechanism->running && !mechanism->run.fed)
		return conclude(mechanism, true, said);
	return listen_to(mechanism, variables, said);
}

enum mechanism_step
mechanism_answer(struct mechanism *mechanism, const char *response,
    size_t length, struct variables *variables, struct mechanism_said *said)
{
	char line[SASL_LINE_MAX + 1];
	ssize_t n;
	bool full;

	if (length > SASL_LINE_MAX)
		__builtin_trap();
	memcpy(line, response, length);
	line[length] = '\n';
	/* It has read what came before, or it should not have asked. */
	n = mechanism->running ? write(mechanism->run.in, line, length + 1) : 0;
	full = n < 0 ? errno != EPIPE : n < (ssize_t)length + 1;
	sasl_wipe(line, length);
	if (full && mechanism->running)
		return conclude(mechanism, true, said);
	return listen_to(mechanism, variables, said);
}

void
mechanism_end(struct mechanism *mechanism)
{
	if (mechanism->running)
		run_kill(&mechanism->run);
	mechanism->running = false;
}
