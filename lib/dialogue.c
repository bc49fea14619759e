#include "dialogue.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "envelope.h"
#include "io.h"
#include "param.h"
#include "record.h"
#include "sandbox.h"
#include "spool.h"
#include "text.h"

/* Octets of one read. */
#define INPUT_OCTETS ((size_t)64 * 1024)

/* Strict seccomp allows no memory to be had later, so all of it is here. */
static struct {
	const struct settings *settings;
	struct smtp *smtp;
	char *windows;
	int channel, in, out;
	int window;        /* being filled */
	size_t filled;     /* octets in it */
	int lent;          /* windows that the agent has */
	uint64_t content;  /* octets of the message so far */
	size_t recipients; /* octets of RECIPIENTS */
	size_t options;    /* octets of SMTP_RCPT_OPTIONS */
	size_t logged;     /* octets of output that --debug has seen */
	bool urgent;       /* the packet has something for the log */
	const char *end;   /* why the session ended; NULL: it goes on */
	bool gone;         /* the client is; nothing more can be said */
	struct packet packet;
	char answer[RECORD_PACKET_MAX];
	char params[SMTP_OUTPUT_MAX];
	char input[INPUT_OCTETS];
} self;

/*
 * Clocks. A socket keeps the wait for the client itself (SO_RCVTIMEO), and the
 * timer first fires when the session is over. On anything else it fires every
 * second and both are counted. It goes on firing, so that a signal that comes
 * just before a read is followed by another.
 */
static volatile sig_atomic_t ticks, stopping;
static int ticks_of_session, ticks_of_wait;

static void
tick(int signal)
{
	(void)signal;
	ticks = ticks + 1;
}

static void
stop(int signal)
{
	(void)signal;
	stopping = 1;
}

/* These fail only on arguments that are wrong. */
static void
start_clocks(void)
{
	const struct settings *settings = self.settings;
	bool sockets = io_is_socket(self.in) && io_is_socket(self.out);
	struct timeval wait = {.tv_sec = settings->timeout};
	struct itimerval timer = {.it_interval = {.tv_sec = 1}};
	struct sigaction on_tick = {.sa_handler = tick};
	struct sigaction on_stop = {.sa_handler = stop};
	sigset_t none;

	(void)sigaction(SIGALRM, &on_tick, NULL);
	(void)sigaction(SIGTERM, &on_stop, NULL);
	(void)sigaction(SIGINT, &on_stop, NULL);
	(void)sigaction(SIGHUP, &on_stop, NULL);
	(void)signal(SIGCHLD, SIG_DFL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	if (sockets) {
		(void)setsockopt(
		    self.in, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
		(void)setsockopt(
		    self.out, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
		timer.it_value.tv_sec = settings->session_timeout;
		ticks_of_session = settings->session_timeout ? 1 : 0;
	} else {
		timer.it_value.tv_sec = 1;
		ticks_of_session = settings->session_timeout;
		ticks_of_wait = settings->timeout;
	}
	(void)setitimer(ITIMER_REAL, &timer, NULL);
}

static bool
waited_too_long(int since)
{
	return ticks_of_wait && ticks - since > ticks_of_wait;
}

/* The agent is gone: nothing can be promised any more. */
static void
orphaned(void)
{
	if (!self.end)
		smtp_end(self.smtp, REPLY_BROKEN);
	self.end = "agent";
}

static void
send_packet(void)
{
	ssize_t n;

	if (self.packet.length == 0)
		return;
	do {
		n = write(self.channel, self.packet.octets, self.packet.length);
	} while (n < 0 && errno == EINTR);
	self.packet.length = 0;
	self.urgent = false;
	if (n < 0)
		orphaned();
}

/* Records wait for each other: one packet a message, mostly. */
static void
tell(const struct record *record)
{
	if (packet_add(&self.packet, record))
		return;
	send_packet();
	if (!packet_add(&self.packet, record))
		__builtin_trap();
}

static void
tell_line(bool server, const char *text, size_t length)
{
	tell(&(struct record){.type = RECORD_SAID,
	    .number = server,
	    .first = text,
	    .first_length = length});
	self.urgent = true;
}

/* Logs the lines of output since the last call. */
static void
tell_output(void)
{
	size_t length;
	const char *output = smtp_output(self.smtp, &length);

	while (self.settings->debug && self.logged < length) {
		const char *line = output + self.logged;
		const char *end = memchr(line, '\r', length - self.logged);

		if (!end)
			break;
		tell_line(true, line, (size_t)(end - line));
		self.logged += (size_t)(end - line) + 2;
	}
}

/* Takes one packet from the agent; the text of a RECORD_REPLY in *reply. */
static bool
hear(struct record *reply)
{
	struct record record;
	size_t at = 0;
	ssize_t n;

	do {
		n = read(self.channel, self.answer, sizeof self.answer);
	} while (n < 0 && errno == EINTR);
	if (n <= 0) {
		orphaned();
		return false;
	}
	while (packet_next(self.answer, (size_t)n, &at, &record) == 1) {
		if (record.type == RECORD_WINDOW)
			self.lent--;
		else
			*reply = record;
	}
	return true;
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
	int since = ticks;

	tell_output();
	if (self.urgent)
		send_packet();
	while (length > 0) {
		ssize_t n = write(self.out, output, length);

		if (n < 0 && errno == EINTR && !waited_too_long(since))
			continue;
		if (n < 0) {
			hung_up(errno == EAGAIN || errno == EINTR ? "timeout"
								  : "hangup");
			return false;
		}
		since = ticks;
		smtp_written(self.smtp, (size_t)n);
		output = smtp_output(self.smtp, &length);
	}
	self.logged = 0;
	return true;
}

static void
end(const char *reply, const char *reason)
{
	smtp_end(self.smtp, reply);
	self.end = reason;
}

/* Waits for the client: input, or the end of the session. */
static void
listen_to_client(void)
{
	int since = ticks;
	ssize_t n;

	for (;;) {
		if (stopping && !smtp_receiving(self.smtp)) {
			end(REPLY_STOPPING, "stop");
			return;
		}
		if (ticks_of_session && ticks >= ticks_of_session) {
			end(REPLY_LONG_SESSION, "session-timeout");
			return;
		}
		if (waited_too_long(since)) {
			end(REPLY_TIMEOUT, "timeout");
			return;
		}
		n = read(self.in, self.input, sizeof self.input);
		if (n > 0) {
			smtp_input(self.smtp, self.input, (size_t)n);
			return;
		}
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			end(REPLY_TIMEOUT, "timeout");
			return;
		}
		hung_up("hangup");
		return;
	}
}

/* Hands the full window to the agent and goes on in the other one. */
static void
pass_window(void)
{
	struct record none = {0};

	tell(&(struct record){.type = RECORD_CONTENT, .number = self.filled});
	send_packet();
	self.lent++;
	self.window ^= 1;
	self.filled = 0;
	while (self.lent > 1 && hear(&none))
		continue;
}

static void
keep(const char *text, size_t length)
{
	self.content += length;
	while (length > 0 && !self.end) {
		char *window =
		    self.windows + (size_t)self.window * SPOOL_WINDOW;
		size_t n = SPOOL_WINDOW - self.filled;

		if (n > length)
			n = length;
		memcpy(window + self.filled, text, n);
		self.filled += n;
		text += n;
		length -= n;
		if (self.filled == SPOOL_WINDOW)
			pass_window();
	}
}

static void
begin_transaction(void)
{
	self.filled = 0;
	self.content = 0;
	self.recipients = self.options = 0;
}

/* The message is whole: the only wait for the agent that each message has. */
static void
deliver_message(void)
{
	struct record reply = {0};

	tell(&(struct record){.type = RECORD_MESSAGE, .number = self.filled});
	send_packet();
	while (!self.end && reply.type != RECORD_REPLY && hear(&reply))
		continue;
	begin_transaction();
	if (reply.type == RECORD_REPLY)
		smtp_reply(self.smtp, reply.first, reply.first_length);
}

static void
drop_message(const struct smtp_event *event)
{
	tell(&(struct record){
	    .type = RECORD_DROPPED,
	    .number = self.content,
	    .first = event->reply,
	    .first_length = event->reply_length - 2,
	});
	self.urgent = true;
	begin_transaction();
}

static void
tell_refused(const struct smtp_event *event, const char *reply, size_t length)
{
	tell(&(struct record){
	    .type = RECORD_REFUSED,
	    .first = event->line,
	    .first_length =
		event->line && !memchr(event->line, '\0', event->line_length)
		    ? (event->line_length < 1024 ? event->line_length : 1024)
		    : 0,
	    .second = reply,
	    .second_length = length,
	});
	self.urgent = true;
}

static void
refuse(const struct smtp_event *event, const char *reply)
{
	smtp_reply(self.smtp, reply, strlen(reply));
	tell_refused(event, reply, strlen(reply));
}

/* Tells the agent of a sender or a recipient that has been taken. */
static void
tell_path(const struct smtp_event *event, enum record_type type, size_t params)
{
	tell(&(struct record){
	    .type = type,
	    .first = event->address.text,
	    .first_length = event->address.length,
	    .second = self.params,
	    .second_length = params,
	});
}

static void
take_path(const struct smtp_event *event)
{
	const struct settings *settings = self.settings;
	size_t params = param_normalize(event->params, event->params_length,
	    settings->smtp.utf8, self.params);
	const char *reply;

	if (event->kind == SMTP_MAIL) {
		tell_path(event, RECORD_MAIL, params);
		return;
	}
	reply = policy_recipient(&settings->policy, &event->address);
	if (reply) {
		refuse(event, reply);
		return;
	}
	if (self.recipients + event->address.length + 1 > ENVELOPE_LIST_MAX ||
	    self.options + params + 1 > ENVELOPE_LIST_MAX) {
		refuse(event, REPLY_RECIPIENTS);
		return;
	}
	self.recipients += event->address.length + 1;
	self.options += params + 1;
	tell_path(event, RECORD_RCPT, params);
}

static void
handle(const struct smtp_event *event)
{
	if (self.settings->debug && event->line && event->kind >= SMTP_REFUSED)
		tell_line(false, event->line,
		    memchr(event->line, '\0', event->line_length)
			? 0
			: event->line_length);
	switch (event->kind) {
	case SMTP_CONTENT:
		keep(event->text, event->length);
		break;
	case SMTP_MESSAGE:
		deliver_message();
		break;
	case SMTP_DROPPED:
		drop_message(event);
		break;
	case SMTP_REFUSED:
		tell_refused(event, event->reply, event->reply_length - 2);
		break;
	case SMTP_HELO:
		begin_transaction();
		tell(&(struct record){
		    .type = RECORD_HELO,
		    .number = text_lower(event->line[0]) == 'e',
		    .first = event->text,
		    .first_length = event->length,
		});
		break;
	case SMTP_MAIL:
	case SMTP_RCPT:
		take_path(event);
		break;
	case SMTP_QUIT:
		self.end = "quit";
		break;
	case SMTP_RESET:
		begin_transaction();
		tell(&(struct record){.type = RECORD_RESET});
		break;
	default:
		break;
	}
}

static void
serve(void)
{
	while (!self.gone) {
		const struct smtp_event *event = smtp_next(self.smtp);

		tell_output();
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
close_others(void)
{
	const int keep[] = {self.channel, self.in, self.out};

#ifndef SANITIZE /* which reports there */
	if (self.in != STDERR_FILENO && self.out != STDERR_FILENO)
		(void)close(STDERR_FILENO); /* the log is the agent's */
#endif
	io_close_others(keep, sizeof keep / sizeof *keep);
}

_Noreturn void
dialogue_run(const struct dialogue_start *start)
{
	self.settings = start->settings;
	self.smtp = start->smtp;
	self.windows = start->windows;
	self.channel = start->channel;
	self.in = start->in;
	self.out = start->out;
	start_clocks();
	close_others();
	(void)sandbox_enter(start->agent); /* as far as the system lets us */
	serve();
	tell(&(struct record){
	    .type = RECORD_END,
	    .first = self.end,
	    .first_length = strlen(self.end),
	});
	send_packet();
	sandbox_exit(0);
}
