#include "identity.h"

#include <string.h>

#include "dialogue.h"
#include "paged.h"
#include "preface.h"
#include "sasl.h"

/* Someone else is the client now: what he may do is as the agent says. */
static void
know_client(struct errand *errand, const struct record *reply)
{
	errand->policy.trusted = (reply->number & RECORD_TRUSTED) != 0;
	errand->settings->smtp.takes_xclient =
	    (reply->number & RECORD_MAY_XCLIENT) != 0;
	if (reply->first_length > 0)
		smtp_reply(
		    errand->talk.smtp, reply->first, reply->first_length);
}

void
identity_tls(struct errand *errand, const struct smtp_event *event)
{
	const struct starttls *starttls = &errand->settings->starttls;
	struct record record = {.type = RECORD_STARTTLS}, reply;
	size_t behind;

	if (!errand_step(
		errand, event, &(struct record){.type = RECORD_STEP}) ||
	    !talk_flush(&errand->talk))
		return;
	(void)smtp_rest(errand->talk.smtp, &behind); /* it goes, unread */
	record.number = behind > 0;
	smtp_reply(errand->talk.smtp, REPLY_TLS, strlen(REPLY_TLS));
	if (starttls_says_reply(starttls)) {
		record.first =
		    smtp_output(errand->talk.smtp, &record.first_length);
		telling_output(&errand->telling, record.first_length);
		errand->telling.logged = 0;
		errand_tell(errand, &record);
		smtp_written(errand->talk.smtp, record.first_length);
	} else {
		/* The last in plain text, before anyone encrypts. */
		if (!talk_flush(&errand->talk))
			return;
		errand_tell(errand, &record);
	}
	reply = errand_wait(errand);
	errand_begin(errand);
	if (reply.type != RECORD_REPLY || reply.number != RECORD_IS_GOOD) {
		talk_hung_up(&errand->talk, "tls");
		return;
	}
	errand->talk.in = starttls->in;
	errand->talk.out = starttls->out;
}

void
identity_login(struct errand *errand, const struct smtp_event *event)
{
	struct record record = {
	    .type = RECORD_LOGIN,
	    .number = sasl_mechanism(event->text, event->length),
	    .first = event->user,
	    .first_length = event->user_length,
	    .second = event->password,
	    .second_length = event->password_length,
	};
	struct record reply;

	if (event->kind == SMTP_CHALLENGE) {
		record.type = RECORD_CHALLENGE;
		record.first = event->text;
		record.first_length = event->length;
	} else if (event->kind == SMTP_RESPONSE) {
		record = (struct record){
		    .type = RECORD_RESPONSE,
		    .first = event->password,
		    .first_length = event->password_length,
		};
	}
	errand_tell(errand, &record);
	channel_send(&errand->channel);
	/* Neither the line nor what was told of it is needed any more. */
	channel_forget(&errand->channel);
	if (event->password_length > 0)
		sasl_wipe((char *)event->password, event->password_length);
	talk_forget(&errand->talk);
	reply = errand_wait(errand);
	if (reply.type != RECORD_REPLY)
		return;
	if (reply.number == RECORD_IS_CHALLENGE) {
		smtp_challenge(
		    errand->talk.smtp, reply.first, reply.first_length);
		return;
	}
	telling_login(&errand->telling);
	if (reply.number == RECORD_IS_GOOD)
		errand->policy.trusted = true;
	smtp_reply(errand->talk.smtp, reply.first, reply.first_length);
}

void
identity_refused(struct errand *errand, const struct smtp_event *event)
{
	telling_refused(
	    &errand->telling, event, event->reply, event->reply_length - 2);
	if (!event->command || event->command->kind != SMTP_LOGIN)
		return;
	if (event->text)
		errand_tell(errand, &(struct record){.type = RECORD_CANCEL});
	talk_forget(&errand->talk);
}

void
identity_header(struct errand *errand)
{
	static const struct {
		const char *reply, *reason;
	} ends[] = {
	    [PREFACE_NONE] = {NULL, "hangup"},
	    [PREFACE_BAD] = {NULL, DIALOGUE_NO_HEADER},
	    [PREFACE_LATE] = {REPLY_TIMEOUT, "timeout"},
	    [PREFACE_STOPPED] = {REPLY_STOPPING, "stop"},
	};
	static PAGED struct proxy proxy;
	char text[PREFACE_TEXT_MAX], tls[2 * PROXY_TLS_MAX + 2], *rest;
	struct record record;
	size_t length;
	enum preface_end end = preface_read(errand->talk.in, &proxy,
	    errand->talk.input, TALK_COMMAND_OCTETS, &rest, &length);

	if (end != PREFACE_DONE && !ends[end].reply) {
		talk_hung_up(&errand->talk, ends[end].reason);
		return;
	}
	if (end != PREFACE_DONE) {
		talk_finish(&errand->talk, ends[end].reply, ends[end].reason);
		return;
	}
	if (proxy.tls) {
		errand->settings->smtp.secure = true;
		smtp_begin(errand->talk.smtp, &errand->settings->smtp);
	}
	smtp_input(errand->talk.smtp, rest, length);
	preface_record(&proxy, &record, text, tls);
	errand_tell(errand, &record);
}

void
identity_greet(struct errand *errand, const struct smtp_event *event)
{
	struct record reply = errand_wait(errand);

	(void)event;
	if (reply.type != RECORD_REPLY)
		return;
	know_client(errand, &reply);
	if (reply.first_length > 0 && memcmp(reply.first, "421", 3) == 0)
		errand->talk.end = "refused";
}

void
identity_xclient(struct errand *errand, const struct smtp_event *event)
{
	struct record reply;

	errand_tell(errand, &(struct record){
				.type = RECORD_XCLIENT,
				.first = event->argument,
				.first_length = event->argument_length,
			    });
	reply = errand_wait(errand);
	errand_begin(errand);
	if (reply.type == RECORD_REPLY)
		know_client(errand, &reply);
}
