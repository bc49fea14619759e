#include "client.h"

#include <string.h>

#include "ask.h"
#include "login.h"

/* Enhanced codes by RFC 3463: a connection that does not work. */
#define LOST "4.4.2 Connection to upstream lost"
#define GARBLED "4.4.2 Upstream sends what is no reply"
#define OUT_OF_STEP "4.4.2 Upstream is out of step"
#define TOO_FEW "4.4.2 Upstream answers for too few recipients"
#define BAD_LOGIN "4.7.8 Upstream refuses our login"
#define BAD_HELLO "4.3.5 Upstream does not speak LMTP"

static void recipient_accepted(struct client *client);
static void may_send(struct client *client);

/*
 * What each step waits for. The patience is RFC 5321's 4.5.3.2; event is what
 * the caller hears of good replies and of refusals, CLIENT_READ being nothing
 * of good ones, and CLIENT_FAILED the end.
 */
static const struct {
	int good; /* a code, or its first digit */
	enum client_kind event, refused;
	unsigned patience;
	void (*granted)(struct client *);
} steps[] = {
    [CLIENT_STEP_GREETING] = {220, CLIENT_READ, CLIENT_FAILED, 300,
	login_greeted},
    [CLIENT_STEP_EHLO] = {250, CLIENT_READ, CLIENT_FAILED, 300, login_ready},
    [CLIENT_STEP_HELO] = {250, CLIENT_READ, CLIENT_FAILED, 300, login_ready},
    [CLIENT_STEP_PLAIN] = {235, CLIENT_READY, CLIENT_FAILED, 300, NULL},
    [CLIENT_STEP_LOGIN] = {334, CLIENT_READ, CLIENT_FAILED, 300, login_user},
    [CLIENT_STEP_USER] = {334, CLIENT_READ, CLIENT_FAILED, 300, login_password},
    [CLIENT_STEP_PASSWORD] = {235, CLIENT_READY, CLIENT_FAILED, 300, NULL},
    [CLIENT_STEP_MAIL] = {2, CLIENT_SENDER, CLIENT_SENDER, 300, NULL},
    [CLIENT_STEP_RCPT] = {2, CLIENT_RECIPIENT, CLIENT_RECIPIENT, 300,
	recipient_accepted},
    [CLIENT_STEP_DATA] = {354, CLIENT_DATA, CLIENT_DATA, 120, may_send},
    [CLIENT_STEP_VERDICT] = {2, CLIENT_VERDICT, CLIENT_VERDICT, 600, NULL},
    [CLIENT_STEP_RSET] = {2, CLIENT_RESET, CLIENT_FAILED, 300, NULL},
    [CLIENT_STEP_QUIT] = {2, CLIENT_GONE, CLIENT_GONE, 300, NULL},
};
/* For each block of content, RFC 5321 4.5.3.2.5. */
#define CONTENT_PATIENCE 180
/* For each verdict behind the first, before QUIT asks whether it will come. */
#define VERDICT_PATIENCE 5

void
client_happens(struct client *client, enum client_kind kind)
{
	client->event = (struct client_event){
	    .kind = kind,
	    .code = client->answer.code,
	    .text = client->answer.text,
	    .length = client->answer.text_length,
	};
}

void
client_fail(struct client *client, const char *text)
{
	if (client->failed)
		return;
	client->failed = true;
	client->sending = false;
	client->output_length = 0;
	client->event = (struct client_event){
	    .kind = CLIENT_FAILED,
	    .code = 451,
	    .text = text,
	    .length = strlen(text),
	};
}

/* Upstream's own words end it; only a refusal can. */
static void
fail_as_told(struct client *client)
{
	if (client->answer.code < 400) {
		client_fail(client, OUT_OF_STEP);
		return;
	}
	client->failed = true;
	client->sending = false;
	client->output_length = 0;
	client_happens(client, CLIENT_FAILED);
}

void
client_expect(struct client *client, enum client_step step)
{
	/* A reply to what was not yet said is to nothing that we said. */
	if (client->count == 0 &&
	    (client->input_length > 0 ||
		(client->answer.begun && !client->answer.whole)))
		client_fail(client, OUT_OF_STEP);
	if (client->count == CLIENT_BATCH_MAX)
		__builtin_trap();
	client->steps[(client->first + client->count) % CLIENT_BATCH_MAX] =
	    (unsigned char)step;
	client->count++;
}

static enum client_step
waiting_for(const struct client *client)
{
	return (enum client_step)client->steps[client->first];
}

static void
recipient_accepted(struct client *client)
{
	client->accepted++;
}

static void
may_send(struct client *client)
{
	client->sending = true;
	client->dots = (struct dots){0};
}

static bool
is_login(enum client_step step)
{
	return step >= CLIENT_STEP_PLAIN && step <= CLIENT_STEP_PASSWORD;
}

/* LHLO is no command there. */
static bool
is_unknown(enum client_step step, int code)
{
	return step == CLIENT_STEP_EHLO && (code == 500 || code == 502);
}

static void
refused(struct client *client, enum client_step step)
{
	if (step == CLIENT_STEP_EHLO && client->answer.code >= 500 &&
	    !client->config->lmtp) {
		/* RFC 5321 3.2 */
		client->offer = (struct offer){0};
		login_hello(client, "HELO", CLIENT_STEP_HELO);
	} else if (is_login(step)) {
		/* Mail is not to blame for our credentials: never 5xx. */
		fail_as_told(client);
		client->event.code = 451;
		client->event.about = BAD_LOGIN;
	} else if (client->config->lmtp &&
		   is_unknown(step, client->answer.code)) {
		/* It speaks another protocol than we were told: mail is not to
		 * blame for that either. */
		fail_as_told(client);
		client->event.code = 451;
		client->event.about = BAD_HELLO;
	} else if (steps[step].refused == CLIENT_FAILED) {
		fail_as_told(client);
	} else {
		client_happens(client, steps[step].refused);
	}
}

/* Takes the step off that the reply answers. */
static void
done(struct client *client)
{
	if (waiting_for(client) == CLIENT_STEP_VERDICT &&
	    --client->verdicts > 0) {
		client->part = true;
		return;
	}
	client->first = (client->first + 1) % CLIENT_BATCH_MAX;
	client->count--;
}

static bool
is_good(enum client_step step, int code)
{
	return steps[step].good == code || steps[step].good == code / 100;
}

/* A whole reply has come. */
static void
answered(struct client *client)
{
	enum client_step step;
	int code = client->answer.code;

	/* 421 may come at any time and is the last word (RFC 5321 3.8). */
	if (client->count == 0 || code == 421) {
		fail_as_told(client);
		if (client->count > 0 && is_login(waiting_for(client)))
			client->event.about = BAD_LOGIN;
		return;
	}
	step = waiting_for(client);
	/* The answer to QUIT, or a good-bye: never a verdict. */
	if (step == CLIENT_STEP_VERDICT && code == 221) {
		client_fail(client, client->quitting ? TOO_FEW : OUT_OF_STEP);
		return;
	}
	/* Granted before all of it was sent: that is no promise. */
	if (code < 400 &&
	    (!is_good(step, code) ||
		(client->count == 1 && client->output_length > 0))) {
		client_fail(client, OUT_OF_STEP);
		return;
	}
	done(client);
	client->gone = step == CLIENT_STEP_QUIT;
	if (!is_good(step, code)) {
		refused(client, step);
		return;
	}
	if (steps[step].event != CLIENT_READ)
		client_happens(client, steps[step].event);
	if (steps[step].granted)
		steps[step].granted(client);
}

void
client_begin(struct client *client, const struct client_config *config)
{
	/* The output is written before it is read. */
	memset(client, 0, offsetof(struct client, output));
	client->config = config;
	client_expect(client, CLIENT_STEP_GREETING);
}

void
client_input(struct client *client, const char *text, size_t length)
{
	if (client->input_length > 0)
		__builtin_trap();
	client->input = text;
	client->input_length = length;
}

void
client_closed(struct client *client)
{
	if (client->count > 0 && waiting_for(client) == CLIENT_STEP_QUIT)
		client->gone = true;
	else if (!client->gone)
		client_fail(client, LOST);
}

/* The first line of the EHLO reply is a name, and a refusal offers nothing. */
static void
learn(struct client *client)
{
	const struct answer *answer = &client->answer;

	if (client->count > 0 && waiting_for(client) == CLIENT_STEP_EHLO &&
	    answer->code == 250 && answer->lines > 1 && answer->length > 4)
		offer_learn(
		    &client->offer, answer->line + 4, answer->length - 4);
}

static void
take(struct client *client)
{
	switch (answer_take(
	    &client->answer, &client->input, &client->input_length)) {
	case ANSWER_NONE:
		break;
	case ANSWER_BAD:
		client_fail(client, GARBLED);
		break;
	case ANSWER_WHOLE:
	case ANSWER_LINE:
		learn(client);
		if (client->answer.whole)
			answered(client);
		break;
	}
}

const struct client_event *
client_next(struct client *client)
{
	if (!client->failed)
		client->event = (struct client_event){.kind = CLIENT_READ};
	while (client->event.kind == CLIENT_READ && !client->gone &&
	       client->input_length > 0)
		take(client);
	if (client->gone && !client->failed)
		client->event.kind = CLIENT_GONE;
	if (client->failed || client->gone)
		client->input_length = 0;
	return &client->event;
}

/* LMTP: some say one verdict for many recipients (RFC 2033 4.2 wants one for
 * each). */
static bool
may_hurry(const struct client *client)
{
	return client->part && !client->quitting && !client->failed &&
	       client->count > 0 &&
	       waiting_for(client) == CLIENT_STEP_VERDICT &&
	       client->output_length == 0;
}

bool
client_hurry(struct client *client)
{
	if (!may_hurry(client))
		return false;
	client_quit(client);
	return true;
}

unsigned
client_patience(const struct client *client)
{
	if (client->sending || client->count == 0)
		return CONTENT_PATIENCE;
	if (may_hurry(client))
		return VERDICT_PATIENCE;
	return steps[waiting_for(client)].patience;
}

const char *
client_output(const struct client *client, size_t *length)
{
	*length = client->output_length;
	return client->output;
}

void
client_written(struct client *client, size_t length)
{
	if (length > client->output_length)
		__builtin_trap();
	client->output_length -= length;
	memmove(client->output, client->output + length, client->output_length);
}
