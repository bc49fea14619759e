#include "errand.h"

#include <string.h>

#include "envelope.h"
#include "paged.h"
#include "param.h"

void
errand_tell(struct errand *errand, const struct record *record)
{
	channel_tell(&errand->channel, record);
}

void
errand_begin(struct errand *errand)
{
	errand->window.filled = 0;
	errand->content = 0;
	errand->recipients = errand->options = 0;
	errand->transacting = false;
}

void
errand_notice(struct errand *errand, const struct smtp_event *event)
{
	if (!errand->transacting || smtp_transacting(errand->talk.smtp) ||
	    event->kind == SMTP_DROPPED)
		return;
	errand_tell(errand, &(struct record){.type = RECORD_VOID});
	errand_begin(errand);
}

struct record
errand_wait(struct errand *errand)
{
	struct record reply = {0};

	channel_send(&errand->channel);
	(void)talk_flush(&errand->talk); /* a command may take minutes */
	if (!errand->talk.gone)
		hearing_wait(&errand->hearing);
	if (errand->talk.gone || !errand->hearing.heard)
		return reply;
	reply.type = RECORD_REPLY;
	reply.number = errand->hearing.recipients;
	reply.first = errand->hearing.verdict;
	reply.first_length = errand->hearing.length;
	/* It was for a step, and is no verdict. */
	errand->hearing.recipients = 0;
	return reply;
}

/* The name of the hook for a command. */
static const char *
hook_name(const struct smtp_event *event)
{
	return event->kind == SMTP_DATA ? "DATA" : event->command->verb;
}

bool
errand_step(struct errand *errand, const struct smtp_event *event,
    const struct record *record)
{
	const char *name = hook_name(event), *verb = event->command->verb;
	static PAGED char text[SMTP_REPLY_MAX];
	struct record reply;

	if (!hooks_find(&errand->settings->hooks, name, strlen(name))) {
		if (record->type != RECORD_STEP)
			errand_tell(errand, record);
		return true;
	}
	errand_tell(errand, &(struct record){
				.type = RECORD_HOOK,
				.first = verb,
				.first_length = strlen(verb),
				.second = event->argument,
				.second_length = event->argument_length,
			    });
	if (event->kind == SMTP_HELO && strcmp(verb, "HELO") != 0)
		errand_tell(errand,
		    &(struct record){
			.type = RECORD_TEXT,
			.first = text,
			.first_length =
			    smtp_default(errand->talk.smtp, text, sizeof text),
		    });
	errand_tell(errand, record);
	reply = errand_wait(errand);
	if (reply.type != RECORD_REPLY)
		return false;
	if (reply.first_length == 0)
		return true;
	if (memcmp(reply.first, "221", 3) == 0) {
		smtp_reply(errand->talk.smtp, reply.first, reply.first_length);
		return false;
	}
	/* Good to go on: it is not for the hook to say 220. */
	if (event->kind == SMTP_STARTTLS && reply.first[0] < '4')
		return true;
	smtp_reply(errand->talk.smtp, reply.first, reply.first_length);
	/* LMTP: a chunk may be refused for each of them. */
	if (event->kind == SMTP_DATA && reply.first[0] > '3')
		errand->hearing.recipients = reply.number;
	return reply.first[0] < '4';
}

void
errand_verdict(struct errand *errand, const struct smtp_event *event)
{
	const char *text;
	size_t length;

	(void)event;
	if (hearing_next(&errand->hearing, &text, &length))
		smtp_reply(errand->talk.smtp, text, length);
	else /* delivered or not: 4xx would be a claim */
		talk_hung_up(&errand->talk, "agent");
}

void
errand_content(struct errand *errand, const struct smtp_event *event)
{
	errand->content += event->length;
	window_keep(
	    &errand->window, &errand->channel, event->text, event->length);
}

/* The only wait for the agent that each message has, where its verdict is one
 * for all. */
void
errand_message(struct errand *errand, const struct smtp_event *event)
{
	talk_free_window(&errand->talk);
	errand_tell(errand, &(struct record){.type = RECORD_MESSAGE,
				.number = errand->window.filled});
	channel_send(&errand->channel);
	if (errand->channel.broken)
		return;                  /* nobody knows of it: 421 */
	(void)talk_flush(&errand->talk); /* the command may take minutes */
	if (!errand->talk.gone)
		hearing_wait(&errand->hearing);
	errand_begin(errand);
	if (!errand->talk.gone)
		errand_verdict(errand, event);
}

void
errand_dropped(struct errand *errand, const struct smtp_event *event)
{
	talk_free_window(&errand->talk);
	errand_tell(errand, &(struct record){
				.type = RECORD_DROPPED,
				.number = errand->content,
				.first = event->reply,
				.first_length = event->reply_length - 2,
			    });
	errand->telling.urgent = true;
	errand_begin(errand);
}

static void
refuse(struct errand *errand, const struct smtp_event *event, const char *reply)
{
	smtp_reply(errand->talk.smtp, reply, strlen(reply));
	telling_refused(&errand->telling, event, reply, strlen(reply));
}

/* Tells the agent of a sender or a recipient; false if a hook refuses it. */
static bool
take_address(struct errand *errand, const struct smtp_event *event,
    enum record_type type, const char *params, size_t params_length)
{
	return errand_step(errand, event,
	    &(struct record){
		.type = type,
		.first = event->address.text,
		.first_length = event->address.length,
		.second = params,
		.second_length = params_length,
	    });
}

void
errand_path(struct errand *errand, const struct smtp_event *event)
{
	const struct settings *settings = errand->settings;
	static PAGED char params[LINE_MAX_OCTETS];
	size_t length = param_normalize(
	    event->params, event->params_length, settings->smtp.utf8, params);
	const char *reply;

	if (event->kind == SMTP_MAIL) {
		errand->transacting =
		    take_address(errand, event, RECORD_MAIL, params, length);
		return;
	}
	reply = policy_recipient(&errand->policy, &event->address);
	if (reply) {
		refuse(errand, event, reply);
		return;
	}
	if (errand->recipients + event->address.length > ENVELOPE_LIST_MAX ||
	    errand->options + length > ENVELOPE_LIST_MAX) {
		refuse(errand, event, REPLY_RECIPIENTS);
		return;
	}
	if (!take_address(errand, event, RECORD_RCPT, params, length))
		return;
	errand->recipients += event->address.length + 1;
	errand->options += length + 1;
}

void
errand_hello(struct errand *errand, const struct smtp_event *event)
{
	struct record record = {
	    .type = RECORD_HELO,
	    .number = event->command->verb[0] != 'H',
	    .first = event->text,
	    .first_length = event->length,
	};

	if (errand_step(errand, event, &record))
		errand_begin(errand);
}

void
errand_reset(struct errand *errand, const struct smtp_event *event)
{
	errand_begin(errand);
	(void)errand_step(
	    errand, event, &(struct record){.type = RECORD_RESET});
}

void
errand_command(struct errand *errand, const struct smtp_event *event)
{
	(void)errand_step(errand, event, &(struct record){.type = RECORD_STEP});
}

void
errand_quit(struct errand *errand, const struct smtp_event *event)
{
	errand_command(errand, event);
	errand->talk.end = "quit";
}
