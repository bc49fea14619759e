#include "decision.h"

#include <stdio.h>
#include <string.h>

#include "journal.h"
#include "line.h"
#include "paged.h"
#include "sequence.h"
#include "text.h"

/* The step that a RECORD_HOOK has announced. */
static struct {
	const struct hook *hook; /* NULL: none */
	const struct smtp_command *row;
	size_t text_length; /* of what it is to read */
} announced;
static PAGED char told_argument[LINE_MAX_OCTETS + 1];
static PAGED char told_text[SMTP_REPLY_MAX];

/* The hook for a command of the dialogue. */
static const struct hook *
hook_for(const struct transaction *self, const char *verb)
{
	const char *name = strcmp(verb, "BDAT") == 0 ? "DATA" : verb;

	return hooks_find(&self->settings->hooks, name, strlen(name));
}

bool
decision_announce(struct transaction *self, const struct record *record)
{
	const struct smtp_command *row =
	    sequence_row(self, record->first, record->first_length);

	/* The hook AUTH is asked when a login is good; XCLIENT has none. */
	if (!sequence_allows(self, row) || row->kind == SMTP_LOGIN ||
	    row->kind == SMTP_XCLIENT ||
	    record->second_length > LINE_MAX_OCTETS ||
	    text_has_control(record->second, record->second_length))
		return false;
	memcpy(told_argument, record->second, record->second_length);
	told_argument[record->second_length] = '\0';
	announced.text_length = 0;
	announced.row = row;
	announced.hook = hook_for(self, row->verb);
	return announced.hook;
}

const struct smtp_command *
decision_announced(void)
{
	return announced.hook ? announced.row : NULL;
}

bool
decision_needed(const struct transaction *self, const char *verb)
{
	return hook_for(self, verb);
}

bool
decision_text(struct transaction *self, const struct record *record)
{
	(void)self;
	if (!announced.hook || announced.row->kind != SMTP_HELO ||
	    strcmp(announced.row->verb, "HELO") == 0 ||
	    announced.text_length > 0 ||
	    record->first_length > sizeof told_text)
		return false;
	for (size_t i = 0; i < record->first_length; i++)
		if (record->first[i] != '\r')
			told_text[announced.text_length++] = record->first[i];
	return true;
}

void
decision_refused(
    struct transaction *self, const char *command, const char *reply)
{
	journal_refused(
	    self->session.peer, &(struct record){
				    .first = command,
				    .first_length = strlen(command),
				    .second = reply,
				    .second_length = strcspn(reply, "\r\n"),
				});
}

static void
refusal(struct transaction *self, const char *verb, const char *argument,
    const struct advice *advice)
{
	char command[HOOKS_NAME_MAX + LINE_MAX_OCTETS + 2];
	char reply[REPLY_MAX + 2];

	(void)snprintf(command, sizeof command, "%s%s%s", verb,
	    argument[0] ? " " : "", argument);
	memcpy(reply, advice->reply, advice->length);
	reply[advice->length] = '\0';
	decision_refused(self, command, reply);
}

enum decision
decision_make(struct transaction *self, const char *verb, const char *candidate,
    size_t candidate_length)
{
	static PAGED struct advice advice;
	struct consultation consultation = {
	    .hook = hook_for(self, verb),
	    .timeout = self->settings->command_timeout,
	    .session = &self->session,
	    .envelope = &self->envelope,
	    .step = {.verb = verb,
		.argument = told_argument,
		.candidate = candidate,
		.candidate_length = candidate_length},
	    .input = told_text,
	    .input_length = announced.text_length,
	};

	if (!consultation.hook)
		return announced.hook ? UNSOUND : GRANTED;
	if (!announced.hook || strcmp(announced.row->verb, verb) != 0)
		return UNSOUND;
	consult(&consultation, &advice);
	announced.hook = NULL;
	self->stopped = advice.stopped;
	if (self->stopped)
		return REFUSED;
	/* RFC 5321 4.1.1.5 and 4.1.1.10: neither can be refused. 421 is no
	 * refusal, but the end (3.8). */
	if (advice_refuses(&advice) && strncmp(advice.reply, "421", 3) != 0 &&
	    (strcmp(verb, "RSET") == 0 || strcmp(verb, "QUIT") == 0))
		advice.length = 0;
	transaction_answer(self, &(struct record){
				     .type = RECORD_REPLY,
				     .number = self->envelope.count,
				     .first = advice.reply,
				     .first_length = advice.length,
				 });
	self->ended = advice_ends(&advice);
	if (advice_refuses(&advice))
		refusal(self, verb, told_argument, &advice);
	return advice_refuses(&advice) || self->ended ? REFUSED : GRANTED;
}

void
decision_moment(
    struct transaction *self, const char *verb, struct advice *advice)
{
	struct consultation consultation = {
	    .hook = hook_for(self, verb),
	    .timeout = self->settings->command_timeout,
	    .session = &self->session,
	    .envelope = &self->envelope,
	    .step = {.verb = verb, .argument = ""},
	};

	advice->length = 0;
	advice->stopped = false;
	if (consultation.hook)
		consult(&consultation, advice);
	if (advice_refuses(advice) && strcmp(verb, "CONNECT") == 0)
		refusal(self, verb, "", advice);
}
