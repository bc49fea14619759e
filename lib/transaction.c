#include "transaction.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "address.h"
#include "admission.h"
#include "clock.h"
#include "deliver.h"
#include "introduce.h"
#include "journal.h"
#include "line.h"
#include "received.h"
#include "signals.h"
#include "text.h"

/* For the log, where the client is told nothing of a message. */
#define ABANDONED "none: told twice to stop"

void
transaction_answer(struct transaction *self, const struct record *record)
{
	static struct packet packet;
	ssize_t n;

	packet.length = 0;
	if (!packet_add(&packet, record))
		__builtin_trap();
	do {
		n = send(self->channel, packet.octets, packet.length,
		    MSG_DONTWAIT | MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	/* A dialogue that is gone is noticed when the channel is read. */
}

/* The step that a RECORD_HOOK has announced. */
static struct {
	const struct hook *hook; /* NULL: none */
	char verb[HOOKS_NAME_MAX + 1];
	char argument[LINE_MAX_OCTETS + 1];
	size_t text_length; /* of what it is to read */
	char text[SMTP_REPLY_MAX];
} announced;

/* The hook for a command of the dialogue. */
static const struct hook *
hook_for(const struct transaction *self, const char *verb)
{
	const char *name = strcmp(verb, "BDAT") == 0 ? "DATA" : verb;

	return hooks_find(&self->settings->hooks, name, strlen(name));
}

static bool
take_hook(struct transaction *self, const struct record *record)
{
	if (announced.hook || record->first_length > HOOKS_NAME_MAX ||
	    record->second_length > LINE_MAX_OCTETS)
		return false;
	memcpy(announced.verb, record->first, record->first_length);
	announced.verb[record->first_length] = '\0';
	memcpy(announced.argument, record->second, record->second_length);
	announced.argument[record->second_length] = '\0';
	announced.text_length = 0;
	announced.hook = hook_for(self, announced.verb);
	return announced.hook &&
	       !text_has_control(record->second, record->second_length);
}

static bool
take_text(struct transaction *self, const struct record *record)
{
	(void)self;
	if (!announced.hook || record->first_length > sizeof announced.text)
		return false;
	for (size_t i = 0; i < record->first_length; i++)
		if (record->first[i] != '\r')
			announced.text[announced.text_length++] =
			    record->first[i];
	return true;
}

/* What a hook makes of the step that was announced. */
enum decision {
	REFUSED,
	GRANTED,
	UNSOUND /* a sound dialogue would have announced it */
};

void
transaction_refused(
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
	transaction_refused(self, command, reply);
}

/* Asks the hook for verb, if it has one, and answers the dialogue; the
 * candidate is a recipient. */
static enum decision
decide(struct transaction *self, const char *verb, const char *candidate,
    size_t candidate_length)
{
	static struct advice advice;
	struct consultation consultation = {
	    .hook = hook_for(self, verb),
	    .timeout = self->settings->command_timeout,
	    .session = &self->session,
	    .envelope = &self->envelope,
	    .step = {.verb = announced.verb,
		.argument = announced.argument,
		.candidate = candidate,
		.candidate_length = candidate_length},
	    .input = announced.text,
	    .input_length = announced.text_length,
	};

	if (!consultation.hook)
		return GRANTED;
	if (announced.hook != consultation.hook)
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
	if (!advice_refuses(&advice))
		return GRANTED;
	refusal(self, announced.verb, announced.argument, &advice);
	return REFUSED;
}

void
transaction_moment(
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

void
transaction_reset(struct transaction *self)
{
	self->data = false;
	envelope_reset(&self->envelope);
	spool_reset(&self->spool);
}

static bool
take_helo(struct transaction *self, const struct record *record)
{
	const char *extended = self->session.lmtp ? "LHLO" : "EHLO";
	const char *verb = record->number == 1 ? extended : "HELO";
	static struct value before;
	bool was_extended = self->session.extended;
	bool greeted = self->session.greeted;
	enum decision decision;

	/* The hook is told of it already. */
	if (hook_for(self, verb))
		before = self->session.helo;
	session_helo(&self->session, record->number == 1, record->first,
	    record->first_length);
	decision = decide(self, verb, NULL, 0);
	if (decision == GRANTED) {
		transaction_reset(self);
	} else {
		self->session.helo = before;
		self->session.extended = was_extended;
		self->session.greeted = greeted;
	}
	return decision != UNSOUND;
}

static bool
take_mail(struct transaction *self, const struct record *record)
{
	const struct smtp_config *config = &self->settings->smtp;
	enum decision decision;

	transaction_reset(self); /* a BDAT that fails ends one, and nobody says
				  * so */
	if (self->refused || !self->session.greeted ||
	    (config->require_tls && !self->session.secure) ||
	    (config->require_auth && !self->session.mechanism) ||
	    !envelope_sender(&self->envelope, record->first,
		record->first_length, record->second, record->second_length,
		self->settings->smtp.utf8))
		return false;
	decision = decide(self, "MAIL", NULL, 0);
	if (decision != GRANTED)
		transaction_reset(self);
	return decision != UNSOUND;
}

/* What the dialogue should have refused, a sound one has. */
static bool
take_rcpt(struct transaction *self, const struct record *record)
{
	const struct smtp_config *config = &self->settings->smtp;
	enum decision decision;
	struct address address;

	if (record->first_length == 0 ||
	    address_parse(record->first, record->first_length,
		self->envelope.utf8, &address) != record->first_length ||
	    policy_recipient(&self->settings->policy, &address))
		return false;
	if (config->recipients_max &&
	    self->envelope.count >= config->recipients_max)
		return false;
	decision = decide(self, "RCPT", record->first, record->first_length);
	if (decision != GRANTED)
		return decision == REFUSED;
	return envelope_recipient(&self->envelope, record->first,
	    record->first_length, record->second, record->second_length);
}

static bool
take_step(struct transaction *self, const struct record *record)
{
	(void)record;
	if (!announced.hook)
		return false;
	switch (decide(self, announced.verb, NULL, 0)) {
	case UNSOUND:
		return false;
	case GRANTED:
		self->data = self->data ||
			     strcmp(announced.verb, "DATA") == 0 ||
			     strcmp(announced.verb, "BDAT") == 0;
		self->tls = strcmp(announced.verb, "STARTTLS") == 0;
		break;
	case REFUSED:
		break;
	}
	return true;
}

/* Whether content may come. */
static bool
may_send(const struct transaction *self)
{
	return self->envelope.count > 0 &&
	       (self->data || !hook_for(self, "DATA"));
}

static bool
take_reset(struct transaction *self, const struct record *record)
{
	enum decision decision = decide(self, "RSET", NULL, 0);

	(void)record;
	transaction_reset(self);
	return decision != UNSOUND;
}

static bool
fits(const struct transaction *self, uint64_t more)
{
	uint64_t max = self->settings->smtp.size_max;

	return max == 0 || spool_size(&self->spool) + more <= max;
}

static bool
take_content(struct transaction *self, const struct record *record)
{
	if (!may_send(self) || record->number != SPOOL_WINDOW ||
	    !fits(self, record->number))
		return false;
	spool_window(&self->spool);
	transaction_answer(self, &(struct record){.type = RECORD_WINDOW});
	return true;
}

/* Delivers what has been spooled; the reply's octets, 0 if told to stop. The
 * line on top of the message is made where the reply will be. */
static size_t
run_command(struct transaction *self, char reply[REPLY_MAX + 1], uint64_t *size)
{
	struct settings *settings = self->settings;
	struct feed feed = {.spool = &self->spool, .head = reply};
	struct delivery delivery = {
	    .command = &settings->command,
	    .timeout = settings->command_timeout,
	    .utf8 = self->envelope.utf8,
	    .recipients = settings->smtp.lmtp ? self->envelope.count : 0,
	};
	size_t length;

	_Static_assert(RECEIVED_MAX <= REPLY_MAX, "they share their memory");
	if (settings->received)
		feed.head_length =
		    received_line(&self->session, &self->envelope,
			(int64_t)time(NULL), settings->smtp.crlf, reply);
	*size = feed.head_length + spool_size(&self->spool);
	delivery.environment =
	    envelope_environment(&self->session, &self->envelope, *size);
	length = deliver(&delivery, &feed, reply);
	self->replies = delivery.each;
	return length;
}

/* The next of the verdicts that each recipient has. */
static bool
next_verdict(struct transaction *self)
{
	struct record record = {.type = RECORD_REPLY};
	size_t count;

	if (!replies_next(
		&self->replies, &record.first, &record.first_length, &count))
		return false;
	record.number = count;
	transaction_answer(self, &record);
	return true;
}

static bool
take_verdict(struct transaction *self, const struct record *record)
{
	(void)record;
	return next_verdict(self);
}

static bool
take_message(struct transaction *self, const struct record *record)
{
	static char reply[REPLY_MAX + 1];
	int64_t since = clock_now();
	uint64_t size, count = self->envelope.count;
	size_t length;

	self->replies = (struct replies){0};
	if (!may_send(self) || record->number > SPOOL_WINDOW ||
	    !fits(self, record->number))
		return false;
	spool_end(&self->spool, (size_t)record->number);
	size = spool_size(&self->spool);
	if (self->spool.failed) {
		length = strlen(REPLY_STORAGE);
		memcpy(reply, REPLY_STORAGE, length);
	} else {
		length = run_command(self, reply, &size);
	}
	self->stopped = length == 0;
	if (self->stopped) {
		length = strlen(ABANDONED);
		memcpy(reply, ABANDONED, length);
		memcpy(self->end, "stop", sizeof "stop");
	}
	journal_message(&self->session, &self->envelope,
	    &(struct journal_message){
		.number = ++self->messages,
		.size = size,
		.since = since,
		.reply = reply,
		.length = length,
	    });
	transaction_reset(self);
	spool_shrink(&self->spool);
	/* Before the verdict: what is pipelined behind it is not to be done. */
	if (signals_stops() > 0)
		(void)kill(self->dialogue, SIGTERM); /* or it is gone */
	if (!self->stopped && !next_verdict(self))
		transaction_answer(self, &(struct record){
					     .type = RECORD_REPLY,
					     .number = count,
					     .first = reply,
					     .first_length = length,
					 });
	return true;
}

static bool
take_dropped(struct transaction *self, const struct record *record)
{
	if (!may_send(self))
		return false;
	journal_message(&self->session, &self->envelope,
	    &(struct journal_message){
		.number = ++self->messages,
		.size = record->number,
		.since = clock_now(),
		.reply = record->first,
		.length = record->first_length,
	    });
	transaction_reset(self);
	/* Not now: the dialogue goes on, and may be filling them again. */
	self->spool.large = true;
	return true;
}

static bool
take_refused(struct transaction *self, const struct record *record)
{
	journal_refused(self->session.peer, record);
	return true;
}

static bool
take_said(struct transaction *self, const struct record *record)
{
	(void)self;
	journal_said(record);
	return true;
}

static bool
take_end(struct transaction *self, const struct record *record)
{
	size_t length = record->first_length;

	if (length >= sizeof self->end)
		return false;
	memcpy(self->end, record->first, length);
	self->end[length] = '\0';
	return true;
}

static bool (*const takers[])(
    struct transaction *self, const struct record *record) = {
    [RECORD_HELO] = take_helo,
    [RECORD_MAIL] = take_mail,
    [RECORD_RCPT] = take_rcpt,
    [RECORD_RESET] = take_reset,
    [RECORD_CONTENT] = take_content,
    [RECORD_MESSAGE] = take_message,
    [RECORD_VERDICT] = take_verdict,
    [RECORD_DROPPED] = take_dropped,
    [RECORD_HOOK] = take_hook,
    [RECORD_TEXT] = take_text,
    [RECORD_STEP] = take_step,
    [RECORD_STARTTLS] = admit_starttls,
    [RECORD_LOGIN] = admit_login,
    [RECORD_CHALLENGE] = admit_challenge,
    [RECORD_RESPONSE] = admit_response,
    [RECORD_CANCEL] = admit_cancel,
    [RECORD_PROXY] = introduce_proxy,
    [RECORD_XCLIENT] = introduce_xclient,
    [RECORD_REFUSED] = take_refused,
    [RECORD_SAID] = take_said,
    [RECORD_END] = take_end,
};

bool
transaction_take(struct transaction *transaction, const struct record *record)
{
	return record->type < sizeof takers / sizeof *takers &&
	       takers[record->type] &&
	       takers[record->type](transaction, record);
}
