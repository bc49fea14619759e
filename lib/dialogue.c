#include "dialogue.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "alarm.h"
#include "channel.h"
#include "envelope.h"
#include "hearing.h"
#include "io.h"
#include "param.h"
#include "preface.h"
#include "record.h"
#include "sandbox.h"
#include "telling.h"
#include "window.h"

/* Octets of one read of commands, and of content. */
#define COMMAND_OCTETS ((size_t)4 * 1024)
#define CONTENT_OCTETS ((size_t)64 * 1024)

/* Strict seccomp allows no memory to be had later, so all of it is here. */
static struct {
	struct settings *settings; /* a copy, since the fork */
	struct policy policy;      /* of this client, as far as it has come */
	struct smtp *smtp;
	int in, out;
	uint64_t content;  /* octets of the message so far */
	size_t recipients; /* octets of RECIPIENTS, with a newline behind */
	size_t options;    /* the same of SMTP_RCPT_OPTIONS */
	const char *end;   /* why the session ended; NULL: it goes on */
	bool gone;         /* the client is; nothing more can be said */
	struct hearing hearing;
	struct window window;
	struct channel channel;
	struct telling telling;
	bool secret;   /* a password may be in input */
	bool windowed; /* what is no content may be in the window, too */
	size_t dirty;  /* octets of input that have something in them */
	char input[CONTENT_OCTETS];
} self;

static void
tell(const struct record *record)
{
	channel_tell(&self.channel, record);
}

static void
hung_up(const char *reason)
{
	self.gone = true;
	if (!self.end)
		self.end = reason;
}

/* Everything that has been said goes out: before each wait, at the end. */
static bool
flush(void)
{
	size_t length;
	const char *output = smtp_output(self.smtp, &length);
	int since = alarm_now(), interrupts = 0;

	telling_output(&self.telling, length);
	if (self.telling.urgent)
		channel_send(&self.channel);
	self.telling.urgent = false;
	while (length > 0) {
		ssize_t n = write(self.out, output, length);

		/* An interrupt begins a socket's wait anew: they come once a
		 * second, and are counted. */
		if (n < 0 && errno == EINTR && !alarm_waited(since) &&
		    ++interrupts <= self.settings->timeout)
			continue;
		if (n < 0) {
			hung_up(errno == EAGAIN || errno == EINTR ? "timeout"
								  : "hangup");
			return false;
		}
		since = alarm_now();
		smtp_written(self.smtp, (size_t)n);
		output = smtp_output(self.smtp, &length);
	}
	self.telling.logged = 0;
	return true;
}

/* What has been said goes out first: the reply has room behind it. */
static void
finish(const char *reply, const char *reason)
{
	(void)flush(); /* which says so if the client is gone */
	smtp_end(self.smtp, reply);
	self.end = reason;
}

/*
 * Where to read to. Content is read to where it is to stay: decoded in place,
 * in the window, it is not copied. (A bare LF that becomes CRLF grows: not
 * then.) What is behind its end is moved out by free_window().
 */
static char *
input_place(size_t *room)
{
	const struct smtp_config *config = &self.settings->smtp;
	bool grows = config->crlf && config->newline != DATA_REJECT;
	char *place = self.input;

	*room = COMMAND_OCTETS;
	if (!smtp_receiving(self.smtp))
		return place;
	*room = CONTENT_OCTETS;
	if (!grows)
		place = window_place(&self.window, room);
	if (*room > CONTENT_OCTETS)
		*room = CONTENT_OCTETS;
	return place;
}

/* What came behind the content may not stay in the window, which the agent
 * is about to have. */
static void
free_window(void)
{
	size_t length;
	char *rest = smtp_rest(self.smtp, &length);

	if (length > 0)
		memmove(self.input, rest, length);
	if (length > self.dirty)
		self.dirty = length;
	/* It may be a password. */
	if (rest < self.input || rest > self.input + sizeof self.input)
		sasl_wipe(rest, length);
	smtp_input(self.smtp, self.input, length);
}

/* Nothing of what has been said to log in stays where it was read to: where it
 * came behind the octets of a chunk that is the window, behind its content. */
static void
forget_input(void)
{
	size_t length, room;
	char *rest = smtp_rest(self.smtp, &length);

	self.secret = true;
	if (length > 0)
		memmove(self.input, rest, length);
	if (self.windowed) {
		char *place = window_place(&self.window, &room);

		sasl_wipe(place, room);
		self.windowed = false;
	}
	if (self.dirty > length)
		sasl_wipe(self.input + length, self.dirty - length);
	self.dirty = length;
	smtp_input(self.smtp, self.input, length);
}

/* Waits for the client: input, or the end of the session. */
static void
listen_to_client(void)
{
	int since = alarm_now(), interrupts = 0;
	size_t room;
	char *place = input_place(&room);
	ssize_t n;

	/* The rest of a line that was too long, too. */
	if (self.secret)
		forget_input();
	for (;;) {
		if (alarm_stopping() && !smtp_engaged(self.smtp)) {
			finish(REPLY_STOPPING, "stop");
			return;
		}
		if (alarm_session_over()) {
			finish(REPLY_LONG_SESSION, "session-timeout");
			return;
		}
		if (alarm_waited(since)) {
			finish(REPLY_TIMEOUT, "timeout");
			return;
		}
		n = read(self.in, place, room);
		if (n > 0) {
			if (place != self.input)
				self.windowed = true;
			else if ((size_t)n > self.dirty)
				self.dirty = (size_t)n;
			smtp_input(self.smtp, place, (size_t)n);
			return;
		}
		if (n < 0 && errno == EINTR &&
		    ++interrupts <= self.settings->timeout)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
			finish(REPLY_TIMEOUT, "timeout");
			return;
		}
		hung_up("hangup");
		return;
	}
}

/* Someone else is the client now: what he may do is as the agent says. */
static void
know_client(const struct record *reply)
{
	self.policy.trusted = (reply->number & RECORD_TRUSTED) != 0;
	self.settings->smtp.takes_xclient =
	    (reply->number & RECORD_MAY_XCLIENT) != 0;
	if (reply->first_length > 0)
		smtp_reply(self.smtp, reply->first, reply->first_length);
}

static void
begin_transaction(void)
{
	self.window.filled = 0;
	self.content = 0;
	self.recipients = self.options = 0;
}

/* Waits for the agent's reply, with everything said that is to be said. */
static struct record
await_reply(void)
{
	struct record reply = {0};

	channel_send(&self.channel);
	(void)flush(); /* a command may take minutes */
	if (!self.gone)
		hearing_wait(&self.hearing);
	if (self.gone || !self.hearing.heard)
		return reply;
	reply.type = RECORD_REPLY;
	reply.number = self.hearing.recipients;
	reply.first = self.hearing.verdict;
	reply.first_length = self.hearing.length;
	/* It was for a step, and is no verdict. */
	self.hearing.recipients = 0;
	return reply;
}

/* The name of the hook for a command. */
static const char *
hook_name(const struct smtp_event *event)
{
	return event->kind == SMTP_DATA ? "DATA" : event->command->verb;
}

/* Tells the agent of a step; where there is a hook for it, waits for what it
 * says, and answers with that. False if the step is refused. */
static bool
take_step(const struct smtp_event *event, const struct record *record)
{
	const char *name = hook_name(event), *verb = event->command->verb;
	char text[SMTP_REPLY_MAX];
	struct record reply;

	if (!hooks_find(&self.settings->hooks, name, strlen(name))) {
		if (record->type != RECORD_STEP)
			tell(record);
		return true;
	}
	tell(&(struct record){
	    .type = RECORD_HOOK,
	    .first = verb,
	    .first_length = strlen(verb),
	    .second = event->argument,
	    .second_length = event->argument_length,
	});
	if (event->kind == SMTP_HELO && strcmp(verb, "HELO") != 0)
		tell(&(struct record){
		    .type = RECORD_TEXT,
		    .first = text,
		    .first_length = smtp_default(self.smtp, text, sizeof text),
		});
	tell(record);
	reply = await_reply();
	if (reply.type != RECORD_REPLY)
		return false;
	if (reply.first_length == 0)
		return true;
	/* Good to go on: it is not for the hook to say 220. */
	if (event->kind == SMTP_STARTTLS && reply.first[0] < '4')
		return true;
	smtp_reply(self.smtp, reply.first, reply.first_length);
	/* LMTP: a chunk may be refused for each of them. */
	if (event->kind == SMTP_DATA && reply.first[0] > '3')
		self.hearing.recipients = reply.number;
	return reply.first[0] < '4';
}

/* TLS is to begin: nothing is read or written until it has, and then it is
 * perhaps elsewhere. */
static void
begin_tls(const struct smtp_event *event)
{
	const struct starttls *starttls = &self.settings->starttls;
	struct record record = {.type = RECORD_STARTTLS}, reply;

	if (!take_step(event, &(struct record){.type = RECORD_STEP}) ||
	    !flush())
		return;
	smtp_reply(self.smtp, REPLY_TLS, strlen(REPLY_TLS));
	if (starttls_says_reply(starttls)) {
		record.first = smtp_output(self.smtp, &record.first_length);
		telling_output(&self.telling, record.first_length);
		self.telling.logged = 0;
		tell(&record);
		smtp_written(self.smtp, record.first_length);
	} else {
		/* The last in plain text, before anyone encrypts. */
		if (!flush())
			return;
		tell(&record);
	}
	reply = await_reply();
	begin_transaction();
	if (reply.type != RECORD_REPLY || reply.number != RECORD_IS_GOOD) {
		hung_up("tls");
		return;
	}
	self.in = starttls->in;
	self.out = starttls->out;
}

/* Tells the agent what the client says to log in, and the client what comes
 * of it. */
static void
log_in(const struct smtp_event *event)
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
	tell(&record);
	channel_send(&self.channel);
	/* Neither the line nor what was told of it is needed any more. */
	sasl_wipe(&self.channel.packet, sizeof self.channel.packet);
	if (event->password_length > 0)
		sasl_wipe((char *)event->password, event->password_length);
	forget_input();
	reply = await_reply();
	if (reply.type != RECORD_REPLY)
		return;
	if (reply.number == RECORD_IS_CHALLENGE) {
		smtp_challenge(self.smtp, reply.first, reply.first_length);
		return;
	}
	if (reply.number == RECORD_IS_GOOD)
		self.policy.trusted = true;
	smtp_reply(self.smtp, reply.first, reply.first_length);
}

/* The machine has refused AUTH, or a response in it. */
static void
refuse_login(const struct smtp_event *event)
{
	if (event->text)
		tell(&(struct record){.type = RECORD_CANCEL});
	forget_input();
}

/* Says the agent's verdict, in LMTP that for the next recipient; where there is
 * none the machine has one. */
static void
judge(void)
{
	const char *text;
	size_t length;

	if (hearing_next(&self.hearing, &text, &length))
		smtp_reply(self.smtp, text, length);
}

/* The PROXY header, before the session begins; what is behind it is the
 * client's. */
static void
take_header(void)
{
	static const struct {
		const char *reply, *reason;
	} ends[] = {
	    [PREFACE_NONE] = {NULL, "hangup"},
	    [PREFACE_BAD] = {NULL, NO_HEADER},
	    [PREFACE_LATE] = {REPLY_TIMEOUT, "timeout"},
	    [PREFACE_STOPPED] = {REPLY_STOPPING, "stop"},
	};
	static struct proxy proxy;
	char text[PREFACE_TEXT_MAX], tls[2 * PROXY_TLS_MAX + 2], *rest;
	struct record record;
	size_t length;
	enum preface_end end = preface_read(
	    self.in, &proxy, self.input, COMMAND_OCTETS, &rest, &length);

	if (end != PREFACE_DONE && !ends[end].reply) {
		hung_up(ends[end].reason);
		return;
	}
	if (end != PREFACE_DONE) {
		finish(ends[end].reply, ends[end].reason);
		return;
	}
	if (proxy.tls) {
		self.settings->smtp.secure = true;
		smtp_begin(self.smtp, &self.settings->smtp);
	}
	smtp_input(self.smtp, rest, length);
	preface_record(&proxy, &record, text, tls);
	tell(&record);
}

/* To be greeted as the agent says, whom the header has told who it is. */
static void
greet(void)
{
	struct record reply = await_reply();

	if (reply.type != RECORD_REPLY)
		return;
	know_client(&reply);
	if (reply.first_length > 0 && memcmp(reply.first, "421", 3) == 0)
		self.end = "refused";
}

static void
change_client(const struct smtp_event *event)
{
	struct record reply;

	tell(&(struct record){
	    .type = RECORD_XCLIENT,
	    .first = event->argument,
	    .first_length = event->argument_length,
	});
	reply = await_reply();
	begin_transaction();
	if (reply.type == RECORD_REPLY)
		know_client(&reply);
}

/* The message is whole: the only wait for the agent that each message has,
 * where its verdict is one for all. */
static void
deliver_message(void)
{
	free_window();
	tell(&(struct record){
	    .type = RECORD_MESSAGE, .number = self.window.filled});
	channel_send(&self.channel);
	(void)flush(); /* the command may take minutes */
	if (!self.gone)
		hearing_wait(&self.hearing);
	begin_transaction();
	if (!self.gone)
		judge();
}

static void
drop_message(const struct smtp_event *event)
{
	free_window();
	tell(&(struct record){
	    .type = RECORD_DROPPED,
	    .number = self.content,
	    .first = event->reply,
	    .first_length = event->reply_length - 2,
	});
	self.telling.urgent = true;
	begin_transaction();
}

static void
refuse(const struct smtp_event *event, const char *reply)
{
	smtp_reply(self.smtp, reply, strlen(reply));
	telling_refused(&self.telling, event, reply, strlen(reply));
}

/* Tells the agent of a sender or a recipient; false if a hook refuses it. */
static bool
take_address(const struct smtp_event *event, enum record_type type,
    const char *params, size_t params_length)
{
	return take_step(event, &(struct record){
				    .type = type,
				    .first = event->address.text,
				    .first_length = event->address.length,
				    .second = params,
				    .second_length = params_length,
				});
}

static void
take_path(const struct smtp_event *event)
{
	const struct settings *settings = self.settings;
	char params[LINE_MAX_OCTETS];
	size_t length = param_normalize(
	    event->params, event->params_length, settings->smtp.utf8, params);
	const char *reply;

	if (event->kind == SMTP_MAIL) {
		begin_transaction(); /* a BDAT that fails ends one */
		(void)take_address(event, RECORD_MAIL, params, length);
		return;
	}
	reply = policy_recipient(&self.policy, &event->address);
	if (reply) {
		refuse(event, reply);
		return;
	}
	if (self.recipients + event->address.length > ENVELOPE_LIST_MAX ||
	    self.options + length > ENVELOPE_LIST_MAX) {
		refuse(event, REPLY_RECIPIENTS);
		return;
	}
	if (!take_address(event, RECORD_RCPT, params, length))
		return;
	self.recipients += event->address.length + 1;
	self.options += length + 1;
}

static void
handle(const struct smtp_event *event)
{
	switch (event->kind) {
	case SMTP_CONTENT:
		self.content += event->length;
		window_keep(
		    &self.window, &self.channel, event->text, event->length);
		break;
	case SMTP_MESSAGE:
		deliver_message();
		break;
	case SMTP_VERDICT:
		judge();
		break;
	case SMTP_DROPPED:
		drop_message(event);
		break;
	case SMTP_REFUSED:
		telling_refused(&self.telling, event, event->reply,
		    event->reply_length - 2);
		if (event->command && event->command->kind == SMTP_LOGIN)
			refuse_login(event);
		break;
	case SMTP_HELO:
		if (take_step(
			event, &(struct record){
				   .type = RECORD_HELO,
				   .number = event->command->verb[0] != 'H',
				   .first = event->text,
				   .first_length = event->length,
			       }))
			begin_transaction();
		break;
	case SMTP_MAIL:
	case SMTP_RCPT:
		take_path(event);
		break;
	case SMTP_QUIT:
		(void)take_step(event, &(struct record){.type = RECORD_STEP});
		self.end = "quit";
		break;
	case SMTP_RESET:
		begin_transaction();
		(void)take_step(event, &(struct record){.type = RECORD_RESET});
		break;
	case SMTP_CONNECT:
		greet();
		break;
	case SMTP_XCLIENT:
		change_client(event);
		break;
	case SMTP_STARTTLS:
		begin_tls(event);
		break;
	case SMTP_LOGIN:
	case SMTP_CHALLENGE:
	case SMTP_RESPONSE:
		log_in(event);
		break;
	case SMTP_DATA:
	case SMTP_COMMAND:
		(void)take_step(event, &(struct record){.type = RECORD_STEP});
		break;
	default:
		break;
	}
}

/* What ends the session between two steps. */
static void
look_around(void)
{
	if (self.end)
		return;
	if (self.channel.broken)
		finish(REPLY_BROKEN, "agent");
	else if (alarm_stopping() && !smtp_engaged(self.smtp))
		finish(REPLY_STOPPING, "stop");
	else if (alarm_session_over() && !smtp_engaged(self.smtp))
		finish(REPLY_LONG_SESSION, "session-timeout");
}

static void
serve(void)
{
	while (!self.gone) {
		const struct smtp_event *event;

		look_around();
		event = smtp_next(self.smtp);
		telling_event(&self.telling, event);
		switch (event->kind) {
		case SMTP_READ:
			if (flush())
				listen_to_client();
			break;
		case SMTP_WRITE:
			(void)flush(); /* which says so if the client is gone */
			break;
		case SMTP_CLOSE:
			(void)flush();
			if (!self.end)
				self.end = "closed";
			return;
		default:
			handle(event);
			break;
		}
	}
}

/* Keeps only the client and the channel. */
static void
close_others(const int *client, size_t count)
{
	int keep[5] = {self.channel.descriptor};

	memcpy(keep + 1, client, count * sizeof *client);
#ifndef SANITIZE /* which reports there */
	if (self.in != STDERR_FILENO && self.out != STDERR_FILENO)
		(void)close(STDERR_FILENO); /* the log is the agent's */
#endif
	io_close_others(keep, count + 1);
}

/* The client's descriptors, now and behind TLS. */
static size_t
list_client(const struct dialogue_start *start, int client[4])
{
	const struct starttls *starttls = &start->settings->starttls;
	size_t count = 0;

	client[count++] = start->in;
	client[count++] = start->out;
	if (starttls->kind == STARTTLS_UCSPI) {
		client[count++] = starttls->in;
		client[count++] = starttls->out;
	}
	return count;
}

_Noreturn void
dialogue_run(const struct dialogue_start *start)
{
	int client[4];
	size_t count = list_client(start, client);

	self.settings = start->settings;
	self.policy = start->settings->policy;
	self.smtp = start->smtp;
	self.window.memory = start->windows;
	self.channel.descriptor = start->channel;
	self.hearing = (struct hearing){
	    .channel = &self.channel,
	    .window = &self.window,
	};
	self.telling = (struct telling){
	    .channel = &self.channel,
	    .smtp = start->smtp,
	    .debug = start->settings->debug,
	};
	self.in = start->in;
	self.out = start->out;
	alarm_begin(client, count, start->settings->timeout,
	    start->settings->session_timeout, start->settings->proxy);
	close_others(client, count);
	(void)sandbox_enter(start->agent); /* as far as the system lets us */
	if (self.settings->proxy)
		take_header();
	serve();
	tell(&(struct record){
	    .type = RECORD_END,
	    .first = self.end,
	    .first_length = strlen(self.end),
	});
	channel_send(&self.channel);
	sandbox_exit(0);
}
