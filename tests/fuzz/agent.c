/* Fuzzes the agent from the dialogue's side: records that a hostile dialogue
 * could send go through packet_next() and transaction_take() to the agent's own
 * rooms. No program is started: run.h is this file's, and says what a script
 * says. What is handed to the command is held against a small model of the
 * session: only what options and sequence permit, only recipients that the
 * policy has let pass, and no control character anywhere.
 *
 * The first six octets of an input are the configuration. Then each line is a
 * record: a letter, A for RECORD_HELO and so on, its number, and, with tabs
 * before them, first and second, in which a VT is an LF. What a program does
 * that is run meanwhile is in the line behind it: ">", how it ends, what it
 * prints, in which "|" is an LF. Or, by the configuration, all is one packet.
 */
#include "fuzz.h"

/* What they remember of a session is to be forgotten after each. */
#include "../../lib/admission.c"
#include "../../lib/decision.c"
#include "../../lib/introduce.c"

#include <fcntl.h>
#include <stdarg.h>
#include <strings.h>
#include <sys/socket.h>
#include <syslog.h>
#include <unistd.h>

#include "address.h"
#include "clock.h"
#include "log.h"
#include "record.h"
#include "reply.h"
#include "run.h"
#include "spool.h"
#include "transaction.h"

enum { LIST = 1 << 18, CONTENTS = 6, PATTERN = 251, GUESSES = 2 };

static struct transaction self;
static struct settings settings;
static struct peer peer;
static struct fuzz script;
static int dialogue = -1; /* its end of the channel */
static int pipes[2];      /* what a program is fed */
static int null;

/* What the session is, by our own count. */
static struct model {
	bool greeted, introduced, trusted, user, tls, sender, delivered;
	bool exposed; /* there is no sandbox, where there must be one */
	bool step_is_data;
	bool data; /* the hook DATA has let content come */
	size_t count, messages, contents, guesses;
	size_t verdicts; /* recipients without one, once the message is run */
	uint64_t octets; /* of content */
	uint64_t whole;  /* the same, with the last window */
	char address[RECORD_PACKET_MAX];
	char recipients[LIST]; /* with LF behind each */
	size_t length;
} model;

/* The replies to one record. */
static struct {
	unsigned replies, windows;
	uint64_t number;
	int code; /* 0: no reply, or an empty one */
} heard;

/* The log: each line is one. */
void
syslog(int priority, const char *format, ...)
{
	char line[LOG_LINE_MAX + 1];
	va_list arguments;
	int n;

	(void)priority;
	va_start(arguments, format);
	n = vsnprintf(line, sizeof line, format, arguments);
	va_end(arguments);
	DEMAND(n >= 0 && (size_t)n < sizeof line);
	for (int i = 0; i < n; i++)
		DEMAND((line[i] >= ' ' && line[i] != 0x7f) || line[i] < 0);
}

/* Ten seconds later: nobody is waited for. */
int64_t
clock_date(void)
{
	return 0;
}

int64_t
clock_now(void)
{
	static int64_t now;

	return now += 10000;
}

bool
starttls_says_reply(const struct starttls *starttls)
{
	return starttls->kind == STARTTLS_WRAPPER;
}

bool
starttls_begin(struct starttls *starttls, const char *reply, size_t length,
    int timeout, char about[STARTTLS_ABOUT_MAX])
{
	(void)timeout;
	DEMAND(starttls->kind != STARTTLS_NONE && !model.tls);
	DEMAND(!model.sender);
	DEMAND(length <= REPLY_MAX && (length == 0 || reply));
	strcpy(about, "TLSv1.3");
	return !starttls->hasty;
}

/* A line of the script about a program; false if there is none. */
static bool
next_outcome(struct fuzz *line)
{
	if (script.length == 0 || *script.text != '>')
		return false;
	*line = fuzz_part(&script, '\n');
	line->text++;
	line->length--;
	return true;
}

/* What the program has printed; exactly so many octets, that a read behind
 * them is seen. */
/* Memory for it that may be made larger or smaller; at first it may have some
 * that may not. */
static char **
memory_of(struct outcome *outcome)
{
	static struct {
		const struct outcome *outcome;
		char *memory;
	} all[8];
	size_t i = 0;

	while (all[i].outcome && all[i].outcome != outcome)
		i++;
	all[i].outcome = outcome;
	return &all[i].memory;
}

static void
print(struct outcome *outcome, struct fuzz text)
{
	char **memory = memory_of(outcome);
	size_t n = text.length;
	bool lent;

	if (n > outcome->limit - outcome->length)
		n = outcome->limit - outcome->length;
	outcome->room = outcome->length + n;
	lent = outcome->output != *memory;
	*memory = realloc(*memory, outcome->room + 1);
	if (!*memory)
		abort();
	if (lent && outcome->length > 0)
		memcpy(*memory, outcome->output, outcome->length);
	outcome->output = *memory;
	for (size_t i = 0; i < n; i++)
		outcome->output[outcome->length++] =
		    text.text[i] == '|' ? '\n' : text.text[i];
	*memory = realloc(*memory, outcome->room + (n == 0));
	outcome->output = *memory;
}

/* How it ends. */
static void
end(struct outcome *outcome, unsigned how)
{
	static const struct {
		char letter;
		enum verdict_end end;
		int status;
	} ends[] = {{'0', VERDICT_EXITED, 0}, {'1', VERDICT_EXITED, 1},
	    {'P', VERDICT_EXITED, 100}, {'T', VERDICT_EXITED, 75},
	    {'K', VERDICT_KILLED, 0}, {'N', VERDICT_NOT_RUN, 0},
	    {'S', VERDICT_NOT_RUN, 0}};

	outcome->end = VERDICT_EXITED;
	outcome->status = (int)how;
	outcome->stopped = how == 'S';
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
		if ((unsigned char)ends[i].letter != how)
			continue;
		outcome->end = ends[i].end;
		outcome->status = ends[i].status;
	}
}

/* Takes all that it would read; of a message each octet is known. */
static uint64_t
read_feed(struct feed *feed)
{
	static char octets[1 << 16];
	uint64_t at = 0;
	enum feed_result result;

	do {
		ssize_t n;

		result = spool_feed(feed, pipes[1]);
		while ((n = read(pipes[0], octets, sizeof octets)) > 0)
			for (ssize_t i = 0; i < n; i++, at++)
				DEMAND(
				    at < feed->head_length ||
				    octets[i] ==
					(char)(1 + (at - feed->head_length) %
						       SPOOL_WINDOW % PATTERN));
		DEMAND(result != FEED_CLOSED && result != FEED_FAILED);
	} while (result == FEED_MORE);
	return at - feed->head_length;
}

static const char *
value_of(char *const *environment, const char *name)
{
	for (; *environment; environment++)
		if (strncmp(*environment, name, strlen(name)) == 0 &&
		    (*environment)[strlen(name)] == '=')
			return *environment + strlen(name) + 1;
	return NULL;
}

/* Names once, values without control characters. */
static void
judge_environment(char *const *environment)
{
	for (size_t i = 0; environment[i]; i++) {
		const char *text = environment[i];
		size_t name = strcspn(text, "=") + 1;
		bool list = strncmp(text, "RECIPIENTS=", name) == 0 ||
			    strncmp(text, "SMTP_RCPT_OPTIONS=", name) == 0;

		DEMAND(text[name - 1] == '=');
		/* That one is as the client wrote it, perhaps no UTF-8. */
		if (strncmp(text, "SMTP_ARGUMENT=", name) == 0)
			DEMAND(!text_has_control(text, strlen(text)));
		else
			DEMAND(!fuzz_controls(
			    text, strlen(text), list ? "\n" : ""));
		for (size_t k = 0; k < i; k++)
			DEMAND(strncmp(text, environment[k], name) != 0);
	}
}

/* Whether this client may send there, by our own reading of the policy. */
static bool
permitted(const char *text, size_t length)
{
	static const char *const domains[] = {"@example.org", ".example.net"};
	struct address address;

	if (settings.policy.any || model.trusted)
		return true;
	if (length == 10 && strncasecmp(text, "postmaster", 10) == 0)
		return true;
	if (address_parse(text, length, true, &address) != length)
		return false;
	for (size_t i = 0; i < address.local_length; i++)
		if (strchr("%!@", text[i]))
			return false;
	for (size_t i = 0; i < sizeof domains / sizeof *domains; i++) {
		size_t n = strlen(domains[i]);

		if (length > n &&
		    strncasecmp(text + length - n, domains[i], n) == 0)
			return true;
	}
	return false;
}

static void
judge_recipients(const char *list)
{
	size_t lines = 0;

	DEMAND(list && strlen(list) + 1 == model.length);
	DEMAND(memcmp(list, model.recipients, model.length - 1) == 0);
	for (const char *line = list; line; lines++) {
		size_t n = strcspn(line, "\n");
		struct address address;

		DEMAND(n > 0 && address_parse(line, n, self.envelope.utf8,
				    &address) == n);
		line = line[n] ? line + n + 1 : NULL;
	}
	DEMAND(lines == model.count && lines > 0);
	DEMAND(settings.smtp.recipients_max == 0 ||
	       lines <= settings.smtp.recipients_max);
}

static bool
has_hook(const char *name)
{
	for (size_t i = 0; i < settings.hooks.count; i++)
		if (strcmp(settings.hooks.hooks[i].name, name) == 0)
			return true;
	return false;
}

/* A message is handed over. */
static void
judge_delivery(char *const *environment, uint64_t octets)
{
	const char *sender = value_of(environment, "SENDER");
	struct address address;

	model.delivered = true;
	DEMAND(model.data || !has_hook("DATA"));
	DEMAND(model.sender && model.greeted);
	DEMAND(sender && strcmp(sender, model.address) == 0);
	DEMAND(!*sender || address_parse(sender, strlen(sender),
			       self.envelope.utf8, &address) == strlen(sender));
	judge_recipients(value_of(environment, "RECIPIENTS"));
	DEMAND(!settings.proxy || model.introduced);
	DEMAND(!settings.smtp.require_auth || model.user);
	DEMAND(!settings.smtp.require_tls || model.tls);
	DEMAND(settings.smtp.messages_max == 0 ||
	       model.messages < settings.smtp.messages_max);
	DEMAND(octets == model.whole);
	DEMAND(settings.smtp.size_max == 0 || octets <= settings.smtp.size_max);
	DEMAND(value_of(environment, "SMTP_SIZE"));
	DEMAND(!value_of(environment, "SMTP_AUTH_USER") == !model.user);
	DEMAND(!value_of(environment, "SMTP_TLS") == !model.tls);
}

bool
run_start(struct run *run, struct runnable *runnable, struct feed *message,
    struct outcome *outcome, bool more)
{
	uint64_t octets = read_feed(message);

	*run = (struct run){.pid = 1, .in = null, .outcome = outcome};
	run->more = more;
	outcome->end = VERDICT_NOT_RUN;
	outcome->stopped = false;
	outcome->length = 0;
	outcome->status = 0;
	print(outcome, (struct fuzz){0});
	judge_environment(runnable->environment);
	DEMAND(!model.exposed);
	if (runnable->what && strcmp(runnable->what, "login checker") == 0)
		DEMAND(model.guesses < GUESSES && !model.user);
	if (!runnable->what)
		judge_delivery(runnable->environment, octets);
	return true;
}

bool
run_attend(struct run *run, struct feed *message)
{
	struct fuzz line;
	unsigned how;

	(void)message;
	if (!next_outcome(&line)) {
		end(run->outcome, run->more ? 'T' : '0');
		return true;
	}
	how = fuzz_octet(&line);
	print(run->outcome, line);
	if (how == '+' && run->more)
		return false;
	end(run->outcome, how);
	return true;
}

void
run_kill(struct run *run)
{
	end(run->outcome, 'K');
}

void
run_whole(
    struct runnable *runnable, struct feed *message, struct outcome *outcome)
{
	struct run run;

	(void)run_start(&run, runnable, message, outcome, false);
	(void)run_attend(&run, message);
}

static void
forget_message(void)
{
	model.sender = model.data = false;
	model.count = model.length = model.contents = 0;
	model.octets = 0;
}

/* What the agent has said to one record. */
static void
listen_to_agent(void)
{
	static char octets[RECORD_PACKET_MAX];
	struct record record;
	ssize_t n;

	memset(&heard, 0, sizeof heard);
	while ((n = recv(dialogue, octets, sizeof octets, MSG_DONTWAIT)) > 0) {
		size_t at = 0;

		DEMAND(packet_next(octets, (size_t)n, &at, &record) == 1);
		DEMAND(at == (size_t)n);
		if (record.type == RECORD_WINDOW) {
			heard.windows++;
			continue;
		}
		DEMAND(record.type == RECORD_REPLY);
		heard.replies++;
		heard.number = record.number;
		heard.code =
		    reply_code(record.first, record.first_length, true);
		if (!heard.code && record.first_length > 0)
			DEMAND(record.number == RECORD_IS_CHALLENGE &&
			       base64_valid(record.first, record.first_length));
	}
	DEMAND(heard.replies <= 1 && heard.windows <= 1);
}

/* A step, or a login, that was not refused. */
static bool
is_granted(void)
{
	return heard.code < 400 && heard.code != 221;
}

/* Trust has a reason. */
static void
take_client(void)
{
	model.trusted = heard.number & RECORD_TRUSTED;
	DEMAND(!model.trusted || model.user ||
	       strncmp(peer.remote_ip, "10.", 3) == 0);
	DEMAND(!self.refused || heard.code >= 400);
}

static void
note_recipient(const struct record *record)
{
	DEMAND(
	    model.sender && !memchr(record->first, '\n', record->first_length));
	DEMAND(permitted(record->first, record->first_length));
	DEMAND(!model.data && model.octets == 0);
	DEMAND(model.length + record->first_length < LIST);
	memcpy(model.recipients + model.length, record->first,
	    record->first_length);
	model.length += record->first_length;
	model.recipients[model.length++] = '\n';
	model.count++;
}

static void
note_message(size_t count)
{
	DEMAND(model.delivered || heard.code == 452 || self.stopped);
	DEMAND(self.stopped ||
	       (heard.code && heard.number > 0 && heard.number <= count));
	model.verdicts = self.stopped ? 0 : count - (size_t)heard.number;
	model.messages++;
	model.guesses = 0; /* or some of them still count */
	forget_message();
}

/* The agent has taken the record, and what it said was heard: what that means
 * for the session. */
static void
note(const struct record *record)
{
	struct xclient xclient;
	bool must = record->type == RECORD_VERDICT ||
		    (record->type >= RECORD_STARTTLS &&
			record->type <= RECORD_RESPONSE) ||
		    record->type == RECORD_PROXY ||
		    record->type == RECORD_XCLIENT;

	DEMAND(!must || heard.replies == 1 || self.stopped);
	DEMAND((record->type == RECORD_CONTENT) == (heard.windows == 1));
	switch (record->type) {
	case RECORD_HELO:
		if (!is_granted())
			break;
		model.greeted = true;
		forget_message();
		break;
	case RECORD_MAIL:
		forget_message();
		model.sender = is_granted() && !self.stopped;
		memcpy(model.address, record->first, record->first_length);
		model.address[record->first_length] = '\0';
		break;
	case RECORD_RCPT:
		if (is_granted() && !self.stopped)
			note_recipient(record);
		break;
	case RECORD_RESET:
	case RECORD_VOID:
		forget_message();
		break;
	case RECORD_STEP:
		if (is_granted() && model.step_is_data)
			model.data = true;
		break;
	case RECORD_HOOK:
		model.step_is_data = record->first_length == 4 &&
				     (memcmp(record->first, "DATA", 4) == 0 ||
					 memcmp(record->first, "BDAT", 4) == 0);
		break;
	case RECORD_CONTENT:
		DEMAND(model.data || !has_hook("DATA"));
		model.octets += SPOOL_WINDOW;
		break;
	case RECORD_MESSAGE:
		note_message(model.count);
		break;
	case RECORD_VERDICT:
		DEMAND(heard.code && heard.number > 0 &&
		       heard.number <= model.verdicts);
		model.verdicts -= (size_t)heard.number;
		break;
	case RECORD_DROPPED:
		model.messages++;
		forget_message();
		break;
	case RECORD_STARTTLS:
		if (heard.number == RECORD_IS_GOOD) {
			model.tls = true;
			model.greeted = false;
		}
		break;
	case RECORD_LOGIN:
	case RECORD_CHALLENGE:
	case RECORD_RESPONSE:
		if (heard.number == RECORD_IS_GOOD && heard.replies) {
			DEMAND(heard.code == 235 && !model.user);
			model.user = model.trusted = true;
		} else if (heard.number != RECORD_IS_CHALLENGE) {
			model.guesses++;
		}
		break;
	case RECORD_EXPOSED:
		model.exposed = settings.confined;
		DEMAND(!model.exposed || self.ended);
		break;
	case RECORD_PROXY:
		model.introduced = true;
		model.tls = model.tls || record->second_length > 0;
		take_client();
		break;
	case RECORD_XCLIENT:
		DEMAND(settings.xclient.count > 0 && !model.sender);
		DEMAND(xclient_parse(
		    record->first, record->first_length, &xclient));
		model.greeted =
		    xclient.values[XCLIENT_HELO].state == XCLIENT_SET;
		model.user = xclient.values[XCLIENT_LOGIN].state == XCLIENT_SET;
		take_client();
		break;
	default:
		break;
	}
}

/* The windows' octets are known; a large message's are given back. */
static void
fill_windows(void)
{
	char *windows = self.spool.windows;

	if (windows[0] && windows[SPOOL_WINDOW])
		return;
	for (size_t i = 0; i < 2 * SPOOL_WINDOW; i++)
		windows[i] = (char)(1 + i % SPOOL_WINDOW % PATTERN);
}

/* As the agent takes a packet; false when it would read no more. */
static bool
take_packet(const char *text, size_t length)
{
	struct record record;
	size_t at = 0;
	int found;

	while ((found = packet_next(text, length, &at, &record)) == 1) {
		bool ended = self.ended;

		DEMAND(at <= length && record.first >= text &&
		       record.second + record.second_length == text + at);
		if (record.type == RECORD_CONTENT &&
		    ++model.contents > CONTENTS)
			return false;
		fill_windows();
		model.whole = model.octets + record.number;
		model.delivered = false;
		if (!transaction_take(&self, &record)) {
			/* It may have been answered before it was found out. */
			DEMAND(!model.delivered);
			return false;
		}
		listen_to_agent();
		DEMAND(!ended || record.type == RECORD_REFUSED ||
		       record.type == RECORD_SAID || record.type == RECORD_END);
		note(&record);
		DEMAND(record.type == RECORD_MESSAGE || !model.delivered);
		if (self.stopped)
			return false;
	}
	return found == 0;
}

/* A text of the script; a VT in it is an LF. */
static struct fuzz
take_text(struct fuzz *line, char *room)
{
	struct fuzz part = fuzz_part(line, '\t');

	for (size_t i = 0; i < part.length; i++)
		room[i] = part.text[i] == '\v' ? '\n' : part.text[i];
	part.text = room;
	return part;
}

/* One line of the script; false at the end. */
static bool
take_line(void)
{
	static char first[1 << 16], second[1 << 16];
	static struct packet packet;
	struct fuzz line = fuzz_part(&script, '\n'), part;
	struct record record = {0};
	char *number, *copy;
	bool good;

	if (line.length >= sizeof first || line.length == 0)
		return true;
	record.type = (enum record_type)(fuzz_octet(&line) - 'A' + 1);
	number = fuzz_string(fuzz_part(&line, '\t'));
	record.number = strtoull(number, NULL, 10);
	free(number);
	part = take_text(&line, first);
	record.first = part.text;
	record.first_length = part.length;
	part = take_text(&line, second);
	record.second = part.text;
	record.second_length = part.length;
	packet.length = 0;
	if (!packet_add(&packet, &record))
		return true;
	copy = fuzz_copy(packet.octets, packet.length);
	good = take_packet(copy, packet.length);
	free(copy);
	return good;
}

static void
add_hooks(unsigned mask)
{
	static const char *const names[] = {"CONNECT", "EHLO", "MAIL", "RCPT",
	    "DATA", "RSET", "QUIT", "NOOP", "STARTTLS", "AUTH", "AUTH-X",
	    "AUTH-PLAIN", "HELO", "LHLO", "VRFY", "HELP"};
	static char path[] = "/hook";
	static struct hook hooks[HOOKS_MAX];

	settings.hooks.hooks = hooks;
	settings.hooks.count = 0;
	for (size_t i = 0; i < 16; i++) {
		struct hook *hook = &settings.hooks.hooks[settings.hooks.count];

		if (!(mask & 1u << i))
			continue;
		strcpy(hook->name, names[i]);
		hook->path = path;
		hook->usable = !(mask & 1u << 16) || i != 2;
		settings.hooks.count++;
	}
}

/* Six octets; true if the rest is one packet. */
static bool
configure(struct fuzz *fuzz)
{
	static char above[] = ".example.net", domain[] = "example.org";
	static char *domains[] = {above, domain};
	static struct network ten;
	unsigned a = fuzz_octet(fuzz), b = fuzz_octet(fuzz),
		 c = fuzz_octet(fuzz), d = fuzz_octet(fuzz),
		 e = fuzz_octet(fuzz);

	(void)network_parse("10.0.0.0/8", &ten);
	memset(&settings, 0, offsetof(struct settings, hooks));
	settings.smtp = (struct smtp_config){
	    .hostname = "mx.example.com",
	    .lmtp = a & 1,
	    .utf8 = a & 2,
	    .crlf = a & 4,
	    .require_auth = a & 8,
	    .require_tls = a & 16,
	    .auth_plaintext = a & 32,
	    .auth_cram = a & 64,
	    .secure = a & 128,
	    .takes_xclient = b & 1 && b & 2,
	    .recipients_max = c & 7,
	    .messages_max = c >> 3 & 3,
	    .errors_max = GUESSES,
	    .size_max = c & 32 ? 300000 : 0,
	};
	settings.policy = (struct policy){
	    .any = b & 4,
	    .trusted = b & 8,
	    .domains = domains,
	    .domain_count = 2,
	    .networks = {.list = &ten, .count = 1},
	};
	settings.xclient = (struct networks){&ten, b & 1};
	settings.proxy = b & 16;
	settings.checker = b & 32 ? "checker" : NULL;
	settings.received = b & 64;
	settings.debug = b & 128;
	settings.starttls.kind = (enum starttls_kind)(c >> 6);
	settings.smtp.starttls = settings.starttls.kind != STARTTLS_NONE;
	settings.command_timeout = settings.timeout = 1;
	add_hooks(d | e << 8 | (c & 4) << 14);
	e = fuzz_octet(fuzz);
	settings.confined = e == 'C';
	return e == 'R';
}

/* What there is once in a process. */
static void
set_up(void)
{
	int ends[2];

	if (dialogue >= 0)
		return;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0 ||
	    pipe2(pipes, O_CLOEXEC | O_NONBLOCK) != 0 ||
	    (null = open("/dev/null", O_RDWR | O_CLOEXEC)) < 0 ||
	    !spool_begin(&self.spool))
		abort();
	self.channel = ends[0];
	dialogue = ends[1];
	log_open("fuzz", true);
}

static char **before; /* the environment */

static void
begin_session(void)
{
	static char path[] = "PATH=/bin", relay[] = "RELAYCLIENT=";
	static char *ours[] = {path, relay, NULL};
	struct spool spool = self.spool;
	int channel = self.channel;

	memset(&self, 0, sizeof self);
	self.settings = &settings;
	self.spool = spool;
	self.spool.index = 0;
	self.channel = channel;
	self.peer = &peer;
	peer = (struct peer){.kind = PEER_TCP};
	(void)ip_parse("192.0.2.1", &peer.ip);
	strcpy(peer.remote_ip, "192.0.2.1");
	self.refused = settings.proxy;
	envelope_reset(&self.envelope);
	before = environ;
	environ = ours;
	session_begin(&self.session, "id", settings.smtp.hostname, &peer, true);
	self.session.lmtp = settings.smtp.lmtp;
	self.session.secure = settings.smtp.secure;
	if (self.session.secure)
		strcpy(self.session.tls, "1");
	memset(&model, 0, offsetof(struct model, address));
	model.length = 0;
	model.trusted = settings.policy.trusted;
	model.tls = settings.smtp.secure;
}

static void
end_session(void)
{
	admission_end();
	transaction_reset(&self);
	environ = before;
	variables_forget(session_variables(&self.session));
	*self.session.helo = (struct value){0};
	listen_to_agent();
	memset(&announced, 0, sizeof announced);
	memset(&known, 0, sizeof known);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz fuzz = fuzz_begin(data, size);
	bool raw = configure(&fuzz);

	set_up();
	begin_session();
	script = fuzz;
	if (raw && fuzz.length <= RECORD_PACKET_MAX) {
		char *copy = fuzz_copy(fuzz.text, fuzz.length);

		script.length = 0;
		(void)take_packet(copy, fuzz.length);
		free(copy);
	}
	while (script.length > 0 && !raw && take_line())
		continue;
	end_session();
	return 0;
}
