#include "agent.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "address.h"
#include "clock.h"
#include "complaint.h"
#include "deliver.h"
#include "dialogue.h"
#include "envelope.h"
#include "io.h"
#include "log.h"
#include "number.h"
#include "peer.h"
#include "received.h"
#include "record.h"
#include "signals.h"
#include "smtp.h"
#include "spool.h"

/* A client that still sends when it has been told 421 gets so long to read
 * it, before the rest of what it sent resets the connection. */
#define LINGER_SECONDS 2

/* A session as the agent knows it. */
static struct {
	struct settings *settings;
	struct peer peer;
	struct session session;
	struct envelope envelope;
	struct spool spool;
	struct smtp smtp; /* greets, and is then the dialogue's */
	pid_t dialogue;
	int channel;
	bool broken; /* the dialogue sent what it may not */
	bool over;   /* so does nobody listen any more */
	int64_t begun;
	uint64_t messages;
	char id[40];
	char end[32]; /* why, in the dialogue's words */
} self;

/* Unique on this machine, and likely so elsewhere: time and process. */
static void
make_id(void)
{
	struct timespec now = {0};

	(void)clock_gettime(CLOCK_REALTIME, &now); /* POSIX has this clock */
	(void)snprintf(self.id, sizeof self.id, "%llx.%lx",
	    (unsigned long long)now.tv_sec * 1000000 +
		(unsigned long long)now.tv_nsec / 1000,
	    (unsigned long)getpid());
	log_session(self.id);
}

static void
log_peer(struct log_line *line)
{
	const char *kinds[] = {"unknown", "", "unix", "local"};
	const struct peer *peer = &self.peer;
	const char *text =
	    peer->kind == PEER_TCP ? peer->remote_ip : kinds[peer->kind];

	log_text(line, "peer", text, strlen(text));
	if (peer->remote_port[0])
		log_text(
		    line, "port", peer->remote_port, strlen(peer->remote_port));
}

static void
log_connect(void)
{
	struct log_line line;

	log_begin(&line, "connect");
	log_peer(&line);
	log_write(&line);
}

/* The list with commas for newlines; log_text() cuts it. */
static void
log_recipients(struct log_line *line)
{
	const struct list *list = &self.envelope.recipients;
	size_t length = list->length - list->name_length;
	char text[1100];

	if (length > sizeof text)
		length = sizeof text;
	memcpy(text, list->text + list->name_length, length);
	for (size_t i = 0; i < length; i++)
		if (text[i] == '\n')
			text[i] = ',';
	log_text(line, "recipients", text, length);
	log_number(line, "count", self.envelope.count);
}

static void
log_message(uint64_t size, int64_t since, const char *reply, size_t length)
{
	const struct value *helo = &self.session.helo;
	const struct value *sender = &self.envelope.sender;
	const char *newline = memchr(reply, '\n', length);
	struct log_line line;

	log_begin(&line, "message");
	log_number(&line, "number", ++self.messages);
	log_peer(&line);
	log_text(&line, "user", "", 0);
	log_text(&line, "helo", helo->text + helo->name_length,
	    helo->length - helo->name_length);
	log_text(&line, "sender", sender->text + sender->name_length,
	    sender->length - sender->name_length);
	log_recipients(&line);
	log_number(&line, "size", size);
	log_milliseconds(&line, "seconds", (uint64_t)(clock_now() - since));
	log_text(&line, "reply", reply,
	    newline ? (size_t)(newline - reply) : length);
	log_write(&line);
}

static void
answer(const struct record *record)
{
	static struct packet packet;
	ssize_t n;

	packet.length = 0;
	if (!packet_add(&packet, record))
		__builtin_trap();
	do {
		n = write(self.channel, packet.octets, packet.length);
	} while (n < 0 && errno == EINTR);
	/* A dialogue that is gone is noticed when the channel is read. */
}

static void
reset(void)
{
	envelope_reset(&self.envelope);
	spool_reset(&self.spool);
}

static bool
take_helo(const struct record *record)
{
	reset();
	session_helo(&self.session, record->number == 1, record->first,
	    record->first_length);
	return true;
}

static bool
take_mail(const struct record *record)
{
	return envelope_sender(&self.envelope, record->first,
	    record->first_length, record->second, record->second_length,
	    self.settings->smtp.utf8);
}

/* What the dialogue should have refused, a sound one has. */
static bool
take_rcpt(const struct record *record)
{
	const struct smtp_config *config = &self.settings->smtp;
	struct address address;

	if (record->first_length == 0 ||
	    address_parse(record->first, record->first_length,
		self.envelope.utf8, &address) != record->first_length ||
	    policy_recipient(&self.settings->policy, &address))
		return false;
	if (config->recipients_max &&
	    self.envelope.count >= config->recipients_max)
		return false;
	return envelope_recipient(&self.envelope, record->first,
	    record->first_length, record->second, record->second_length);
}

static bool
take_reset(const struct record *record)
{
	(void)record;
	reset();
	return true;
}

static bool
fits(uint64_t more)
{
	uint64_t max = self.settings->smtp.size_max;

	return max == 0 || spool_size(&self.spool) + more <= max;
}

static bool
take_content(const struct record *record)
{
	if (self.envelope.count == 0 || record->number != SPOOL_WINDOW ||
	    !fits(record->number))
		return false;
	spool_window(&self.spool);
	answer(&(struct record){.type = RECORD_WINDOW});
	return true;
}

/* Delivers what has been spooled; the reply's octets, 0 if told to stop. */
static size_t
run_command(char reply[REPLY_MAX + 1], uint64_t *size)
{
	static char head[RECEIVED_MAX];
	struct settings *settings = self.settings;
	struct feed feed = {.spool = &self.spool, .head = head};
	struct delivery delivery = {
	    .command = &settings->command,
	    .timeout = settings->command_timeout,
	    .utf8 = settings->smtp.utf8,
	};

	if (settings->received)
		feed.head_length = received_line(&self.session, &self.envelope,
		    (int64_t)time(NULL), settings->smtp.crlf, head);
	*size = feed.head_length + spool_size(&self.spool);
	delivery.environment =
	    envelope_environment(&self.session, &self.envelope, *size);
	return deliver(&delivery, &feed, reply);
}

static bool
take_message(const struct record *record)
{
	static char reply[REPLY_MAX + 1];
	int64_t since = clock_now();
	uint64_t size;
	size_t length;

	if (self.envelope.count == 0 || record->number > SPOOL_WINDOW ||
	    !fits(record->number))
		return false;
	spool_end(&self.spool, (size_t)record->number);
	size = spool_size(&self.spool);
	if (self.spool.failed) {
		length = strlen(REPLY_STORAGE);
		memcpy(reply, REPLY_STORAGE, length);
	} else {
		length = run_command(reply, &size);
	}
	if (length == 0) {
		self.over = true;
		return true;
	}
	log_message(size, since, reply, length);
	reset();
	answer(&(struct record){
	    .type = RECORD_REPLY, .first = reply, .first_length = length});
	return true;
}

static bool
take_dropped(const struct record *record)
{
	if (self.envelope.count == 0)
		return false;
	log_message(
	    record->number, clock_now(), record->first, record->first_length);
	reset();
	return true;
}

static bool
take_refused(const struct record *record)
{
	struct log_line line;

	log_begin(&line, "refused");
	log_peer(&line);
	log_text(&line, "command", record->first, record->first_length);
	log_text(&line, "reply", record->second, record->second_length);
	log_write(&line);
	return true;
}

static bool
take_said(const struct record *record)
{
	struct log_line line;

	log_begin(&line, record->number ? "server" : "client");
	log_text(&line, "line", record->first, record->first_length);
	log_write(&line);
	return true;
}

static bool
take_end(const struct record *record)
{
	size_t length = record->first_length;

	if (length >= sizeof self.end)
		return false;
	memcpy(self.end, record->first, length);
	self.end[length] = '\0';
	return true;
}

static bool (*const takers[])(const struct record *record) = {
    [RECORD_HELO] = take_helo,
    [RECORD_MAIL] = take_mail,
    [RECORD_RCPT] = take_rcpt,
    [RECORD_RESET] = take_reset,
    [RECORD_CONTENT] = take_content,
    [RECORD_MESSAGE] = take_message,
    [RECORD_DROPPED] = take_dropped,
    [RECORD_REFUSED] = take_refused,
    [RECORD_SAID] = take_said,
    [RECORD_END] = take_end,
};

static void
take_packet(void)
{
	static char octets[RECORD_PACKET_MAX];
	struct record record;
	size_t at = 0;
	int found = 0;
	ssize_t n = read(self.channel, octets, sizeof octets);

	if (n < 0 && errno == EINTR)
		return;
	if (n <= 0) {
		self.over = true;
		return;
	}
	while (!self.over &&
	       (found = packet_next(octets, (size_t)n, &at, &record)) == 1) {
		if (record.type < sizeof takers / sizeof *takers &&
		    takers[record.type](&record))
			continue;
		found = -1;
		break;
	}
	self.broken = found < 0;
	self.over = self.over || self.broken;
}

/* Answers records until the dialogue has ended, or may not go on. */
static void
serve(void)
{
	struct pollfd polled[] = {
	    {.fd = self.channel, .events = POLLIN},
	    {.fd = -1, .events = POLLIN},
	};

	while (!self.over) {
		int stops = signals_stops();

		if (stops > 1)
			return;
		/* Said again each second: it may come between the dialogue's
		 * look and its sleep. */
		if (stops > 0)
			(void)kill(self.dialogue, SIGTERM);
		polled[1].fd = complaint_source();
		if (signals_wait(polled, 2, stops > 0 ? 1000 : -1) <= 0)
			continue;
		if (polled[1].revents)
			complaint_take();
		if (polled[0].revents)
			take_packet();
	}
}

/* The greeting, before the dialogue is forked: the fork is hidden behind the
 * client's answer. */
static bool
greet(void)
{
	const struct smtp_event *event;
	size_t length;
	const char *output;

	smtp_begin(&self.smtp, &self.settings->smtp);
	do {
		event = smtp_next(&self.smtp);
	} while (event->kind == SMTP_CONNECT);
	output = smtp_output(&self.smtp, &length);
	if (!io_write(1, output, length))
		return false;
	smtp_written(&self.smtp, length);
	return true;
}

static bool
start_dialogue(void)
{
	int ends[2];
	struct dialogue_start start = {
	    .settings = self.settings,
	    .smtp = &self.smtp,
	    .windows = self.spool.windows,
	    .in = 0,
	    .out = 1,
	    .agent = getpid(),
	};

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
		return false;
	self.channel = ends[0];
	start.channel = ends[1];
	self.dialogue = fork();
	if (self.dialogue == 0)
		dialogue_run(&start);
	(void)close(ends[1]); /* a socket with nothing in it */
	return self.dialogue > 0;
}

/* Reads what a client goes on sending, so that closing does not reset the
 * connection before it has read the last reply. */
static void
linger(void)
{
	struct pollfd polled = {.fd = 0, .events = POLLIN};
	int64_t until = clock_now() + (int64_t)LINGER_SECONDS * 1000;
	char octets[4096];

	if (shutdown(1, SHUT_WR) != 0)
		return; /* no socket, or gone */
	for (;;) {
		int64_t left = until - clock_now();

		if (left <= 0 || signals_stops() > 1)
			return;
		if (signals_wait(&polled, 1, (int)left) <= 0)
			continue;
		if (read(0, octets, sizeof octets) <= 0)
			return;
	}
}

static void
log_end(void)
{
	struct log_line line;

	log_begin(&line, "end");
	log_text(&line, "reason", self.end, strlen(self.end));
	log_number(&line, "messages", self.messages);
	log_milliseconds(
	    &line, "seconds", (uint64_t)(clock_now() - self.begun));
	log_write(&line);
}

/* Waits for the dialogue, which has ended or is made to; the exit status. */
static int
finish(void)
{
	bool ours = self.broken || signals_stops() > 1;
	int status = 0;

	if (ours)
		(void)kill(self.dialogue, SIGKILL); /* or it has ended */
	while (waitpid(self.dialogue, &status, 0) < 0 && errno == EINTR)
		continue;
	if (self.broken)
		log_error("session %s: the dialogue process sent a record that "
			  "it may not; session ended",
		    self.id);
	else if (WIFSIGNALED(status) && !ours)
		log_error("session %s: the dialogue process was killed by "
			  "signal %d; session ended",
		    self.id, WTERMSIG(status));
	else if (!ours && strcmp(self.end, "hangup") != 0)
		linger();
	log_end();
	return self.broken || (WIFSIGNALED(status) && !ours) ? EX_SOFTWARE
							     : EX_OK;
}

int
agent_run(struct settings *settings, bool launched)
{
	self.settings = settings;
	self.begun = clock_now();
	signals_begin();
	make_id();
	io_block(0);
	io_block(1);
	peer_find(&self.peer, 0, launched);
	settings->policy.trusted =
	    (launched && getenv("RELAYCLIENT")) ||
	    (settings->trust && peer_is_local(&self.peer)) ||
	    (self.peer.kind == PEER_TCP &&
		policy_has_network(&settings->policy, &self.peer.ip));
	if (isatty(0))
		settings->smtp.newline = DATA_TERMINAL;
	log_connect();
	if (!session_begin(&self.session, self.id, settings->smtp.hostname,
		&self.peer, launched) ||
	    !spool_begin(&self.spool)) {
		log_error("cannot begin a session: %s", strerror(errno));
		return EX_OSERR;
	}
	envelope_reset(&self.envelope);
	memcpy(self.end, "hangup", sizeof "hangup");
	if (!greet()) {
		log_end();
		return EX_OK;
	}
	if (!start_dialogue()) {
		log_error(
		    "cannot start the dialogue process: %s", strerror(errno));
		(void)io_write(
		    1, REPLY_BROKEN "\r\n", strlen(REPLY_BROKEN "\r\n"));
		return EX_OSERR;
	}
	serve();
	return finish();
}
