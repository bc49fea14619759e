/* Drives the state machine without any I/O and prints what happens.
 *
 *	events [option ...] [FILE]     a line for each event and each reply line
 *	events --matrix                every state x every command of the table
 *	events --random N [--seed S]   N random sessions, each cut in two ways
 *
 * Options of the machine are spelt as smtpd's own: -s -u -b -C --hostname
 * --max-recipients --max-messages --max-errors --max-hops --single --hide
 * --auth --auth-plaintext --auth-cram-md5 --require-auth --tls --require-tls;
 * -b terminal too, and --starttls; --mechanism NAME is one of the caller's. Any
 * login is good; the caller's mechanisms, and CRAM-MD5, ask twice of three
 * times. --xclient is for others, --takes-xclient for this client. Behind
 * STARTTLS the input goes on after the next "<TLS>".
 *
 *	-c, --chunk N        the input comes N octets at a time (0: whole)
 *	-r, --random-chunks SEED   at random; buffers move, output drips
 *	-e, --every          whole, octet by octet, cut once anywhere (where it
 *	                     is short), 20 times at random: always the same
 *	-a, --answer KIND[:N][=REPLY]   answers the Nth event (or all) of a
 *	                     kind; without REPLY it is left unanswered
 *
 * Pieces of content are joined, so that the log is the same for any way of
 * cutting. Each octet of a string outside printable ASCII is \xNN.
 *
 * In all modes: what the machine says is a sequence of legal replies, one for
 * each command; a message is there only after CRLF.CRLF, behind DATA, or after
 * the octets that its BDATs counted, as they were sent; and these only behind
 * RCPT, MAIL, HELO. Exit status 1 and a line on standard
 * error if this is ever not so.
 */
#include <getopt.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "number.h"
#include "smtp.h"
#include "text.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

enum { ANSWERS = 16, INPUT_MAX = 1 << 24 };

static const char *const kinds[] = {"READ", "WRITE", "CLOSE", "CONTENT",
    "DROPPED", "REFUSED", "ASKED", "CHUNK", "CONNECT", "HELO", "MAIL", "RCPT",
    "DATA", "MESSAGE", "VERDICT", "RESET", "QUIT", "STARTTLS", "LOGIN",
    "CHALLENGE", "RESPONSE", "XCLIENT", "COMMAND"};

/* What the events are answered; smtpd's defaults are this program's. */
static struct {
	const char *kind;  /* may end in ":N" */
	const char *reply; /* NULL: none */
} answers[ANSWERS];
static size_t answer_count;

static struct smtp_config config = {
    .hostname = "mx.example.org",
    .size_max = 33554432,
    .recipients_max = 1000,
    .errors_max = 20,
    .hops_max = 100,
    .limit_hops = true,
};

/* A growing text. */
struct text {
	char *text;
	size_t length, room;
};

static void
add(struct text *to, const char *text, size_t length)
{
	if (to->room - to->length < length) {
		to->room = 2 * to->room + length + 4096;
		to->text = realloc(to->text, to->room);
		if (!to->text)
			abort();
	}
	if (length > 0)
		memcpy(to->text + to->length, text, length);
	to->length += length;
}

static void
say(struct text *to, const char *format, ...)
{
	char line[2048];
	va_list arguments;
	int n;

	va_start(arguments, format);
	n = vsnprintf(line, sizeof line, format, arguments);
	va_end(arguments);
	if (n < 0 || (size_t)n >= sizeof line)
		abort();
	add(to, line, (size_t)n);
}

static void
add_escaped(struct text *to, const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c == '\r' || c == '\n')
			add(to, c == '\r' ? "\\r" : "\\n", 2);
		else if (c < ' ' || c > '~')
			say(to, "\\x%02x", c);
		else if (c == '"' || c == '\\')
			say(to, "\\%c", c);
		else
			add(to, (const char *)&c, 1);
	}
}

/* key="value" */
static void
add_field(struct text *to, const char *key, const char *text, size_t length)
{
	say(to, " %s=\"", key);
	add_escaped(to, text, length);
	add(to, "\"", 1);
}

/* Random numbers that are the same everywhere. */
static unsigned
chance(uint64_t *state, unsigned below)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(*state >> 33) % below;
}

/* How the input is cut. */
struct chunking {
	size_t size;   /* 0: whole */
	size_t first;  /* of the first piece, where it is not 0 */
	bool random;   /* everything: see give(), move(), drain() */
	uint64_t seed; /* where random */
};

/* One session, and what must be true of it. */
struct session {
	struct smtp smtp;
	const char *input;
	size_t length, given; /* of the input; to the machine */
	struct chunking chunking;
	uint64_t answer_seed; /* not 0: answers at random */
	char *lent, *old;     /* buffers; old may still be pointed at */
	struct text log, content, line;
	size_t seen; /* octets of the output that are in log */
	unsigned events, replies, counts[COUNT(kinds)];
	enum smtp_kind asked; /* the event that the next reply answers */
	bool custom;          /* by a reply that came from here */
	bool greets, logs_in; /* XCLIENT has HELO, LOGIN */
	int code;             /* of the reply whose lines come; 0: none */
	bool secure, known;   /* our own idea: TLS has begun, AUTH succeeded */
	int state;            /* the same: 0 start, 1 ready, 2 MAIL, 3 RCPT,
			       * 4 DATA, 5 BDAT */
	size_t recipients;    /* our own count */
	size_t verdicts;      /* LMTP: that must still be asked for */
	size_t owed;          /* LMTP: the same reply, for other recipients */
	size_t data;          /* where in the input the content begins */
	bool chunk;           /* a BDAT is still to be answered */
	bool last;            /* it said LAST */
	bool binary;          /* BODY=BINARYMIME */
	size_t chunk_end;     /* where in the input its octets end */
	struct text chunks;   /* the octets of all of them */
	size_t tls;           /* where STARTTLS ends */
	bool failed;
};

static void
fail(struct session *session, const char *what)
{
	if (session->failed)
		return;
	session->failed = true;
	fprintf(stderr, "events: %s; the log so far:\n%.*s", what,
	    (int)session->log.length, session->log.text);
}

static void
demand(struct session *session, bool good, const char *what)
{
	if (!good)
		fail(session, what);
}

/* RFC 2034 4, RFC 3463 2: of the class of the code. */
static bool
is_enhanced(const char *line, size_t length)
{
	size_t at = 5;

	if (length < 9 || line[4] != line[0] || line[5] != '.')
		return false;
	for (int part = 0; part < 2; part++) {
		size_t digits = 0;

		at++;
		while (at < length && text_is_digit(line[at])) {
			at++;
			digits++;
		}
		if (digits < 1 || digits > 3 || at == length ||
		    line[at] != (part == 0 ? '.' : ' '))
			return false;
	}
	return true;
}

/* Octets that the machine has used. */
static size_t
used(struct session *session)
{
	size_t rest;
	char *text = smtp_rest(&session->smtp, &rest);

	smtp_input(&session->smtp, text, rest);
	return session->given - rest;
}

/* A whole reply to the event that was asked: our own idea of the state. */
static void
reply_is_whole(struct session *session)
{
	bool granted = session->code < 400;

	demand(session,
	    !session->chunk || session->smtp.closed ||
		used(session) >= session->chunk_end,
	    "a BDAT answered before its octets were read");
	session->replies++;
	if (session->owed > 0 && session->replies > session->events) {
		session->owed--;
		session->events++;
	}
	demand(session, session->replies == session->events,
	    "more replies than questions");
	switch (session->asked) {
	case SMTP_HELO:
		session->state = granted ? 1 : session->state;
		break;
	case SMTP_XCLIENT:
		session->state = granted ? session->greets : 0;
		session->known = granted && session->logs_in;
		break;
	case SMTP_MAIL:
		session->state = granted ? 2 : session->state;
		session->recipients = 0;
		break;
	case SMTP_RCPT:
		session->state = granted ? 3 : session->state;
		session->recipients += granted;
		break;
	case SMTP_DATA:
		if (session->chunk) {
			demand(session,
			    !granted || session->code == 250 ||
				session->code == 221,
			    "a chunk that is not 250");
			session->state = granted ? 5 : 1;
			break;
		}
		demand(session,
		    !granted || session->code == 354 || session->code == 221,
		    "neither 354 nor the end");
		session->state = session->code == 354 ? 4 : session->state;
		break;
	case SMTP_DROPPED:
	case SMTP_MESSAGE:
		session->state = 1;
		break;
	case SMTP_RESET:
		session->state = session->state > 1 ? 1 : session->state;
		break;
	case SMTP_STARTTLS:
		session->secure = session->secure || granted;
		session->known = session->known && !granted;
		session->state = granted ? 0 : session->state;
		break;
	case SMTP_LOGIN:
	case SMTP_CHALLENGE:
	case SMTP_RESPONSE:
		session->known = granted && session->code != 334;
		break;
	default:
		break;
	}
	session->chunk = false;
}

/* A line of the server, with its CRLF (RFC 5321 4.2). */
static void
judge_line(struct session *session, const char *line, size_t length)
{
	int code;
	bool hello;

	demand(session, length >= 5 && length <= REPLY_LINE_MAX,
	    "a line of bad length");
	if (session->failed)
		return;
	length -= 2;
	code = (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
	demand(session,
	    code >= 200 && code < 600 && text_is_digit(line[1]) &&
		text_is_digit(line[2]),
	    "no code");
	demand(session, session->code == 0 || session->code == code,
	    "two codes in one reply");
	demand(session, length == 3 || line[3] == ' ' || line[3] == '-',
	    "no space behind the code");
	demand(session, !text_has_control(line, length), "control characters");
	hello = code / 100 == 2 && (session->asked == SMTP_HELO ||
				       session->asked == SMTP_CONNECT ||
				       session->asked == SMTP_XCLIENT);
	demand(session, code != 334 || session->asked >= SMTP_ASKED,
	    "a challenge to nobody");
	if (!session->custom && !hello && code != 354 && code != 334)
		demand(session, is_enhanced(line, length), "no enhanced code");
	session->code = code;
	if (length > 3 && line[3] == '-')
		return;
	reply_is_whole(session);
	session->code = 0;
}

/* Logs what is new in the output, but for its last octets. */
static void
listen(struct session *session, size_t but)
{
	size_t length;
	const char *text = smtp_output(&session->smtp, &length);

	demand(session, session->seen + but <= length, "output was lost");
	while (!session->failed && session->seen + but < length) {
		const char *at = text + session->seen;
		size_t left = length - but - session->seen;
		const char *newline = memchr(at, '\n', left);
		size_t n = newline ? (size_t)(newline - at) + 1 : left;

		demand(session, newline && n > 1 && newline[-1] == '\r',
		    "a line that does not end in CRLF");
		if (session->failed)
			return;
		judge_line(session, at, n);
		say(&session->log, "S: ");
		add_escaped(&session->log, at, n - 2);
		add(&session->log, "\n", 1);
		session->seen += n;
	}
}

/* The client takes some of the output, or all. */
static void
drain(struct session *session, bool some)
{
	size_t length, n;

	(void)smtp_output(&session->smtp, &length);
	n = length;
	if (session->chunking.random && length > 0)
		n = chance(&session->chunking.seed, (unsigned)length + 1);
	if (some && n == 0)
		n = length > 0;
	smtp_written(&session->smtp, n);
	session->seen -= n;
}

static void
lend(struct session *session, const char *text, size_t length)
{
	char *copy = malloc(length);

	if (!copy && length > 0)
		abort();
	if (length > 0)
		memcpy(copy, text, length);
	free(session->old);
	session->old = session->lent;
	session->lent = copy;
	smtp_input(&session->smtp, copy, length);
}

/* The next piece of the input; false at its end. */
static bool
give(struct session *session)
{
	struct chunking *chunking = &session->chunking;
	size_t left = session->length - session->given, n = left;

	demand(session, used(session) == session->given, "input is left");
	if (left == 0)
		return false;
	if (chunking->random)
		n = chance(
		    &chunking->seed, chance(&chunking->seed, 2) ? 4 : 99);
	else if (chunking->first && session->given == 0)
		n = chunking->first;
	else if (chunking->size)
		n = chunking->size;
	if (n > left)
		n = left;
	lend(session, session->input + session->given, n);
	session->given += n;
	return true;
}

/* At random the rest of the input moves to another buffer. */
static void
move(struct session *session)
{
	size_t rest;
	char *text;

	if (!session->chunking.random || !session->lent ||
	    chance(&session->chunking.seed, 3))
		return;
	text = smtp_rest(&session->smtp, &rest);
	lend(session, text, rest);
}

/* What the octets of all BDATs stand for; false if they are to be refused. */
static bool
chunks_decoded(const struct session *session, struct text *out)
{
	const char *text = session->chunks.text;
	size_t length = session->chunks.length;

	for (size_t i = 0; i < length; i++) {
		bool behind = i > 0 && text[i - 1] == '\r';
		bool before = i + 1 < length && text[i + 1] == '\n';

		if (session->binary) {
			add(out, text + i, 1);
			continue;
		}
		if (text[i] == '\r' && !before)
			return false;
		if (text[i] == '\n' && !behind && config.newline == DATA_REJECT)
			return false;
		if (text[i] == '\n')
			add(out, &"\r\n"[config.crlf ? 0 : 1],
			    1u + config.crlf);
		else if (text[i] != '\r')
			add(out, text + i, 1);
	}
	return true;
}

/* RFC 3030: the message is what its chunks were, or refused. */
static void
judge_chunks(struct session *session, enum smtp_kind kind)
{
	struct text wanted = {0}, *content = &session->content;
	bool good = chunks_decoded(session, &wanted);

	demand(
	    session, session->chunk && session->last, "a message before LAST");
	demand(session, used(session) == session->chunk_end,
	    "a message of more or less than its chunks");
	if (kind == SMTP_MESSAGE)
		demand(session,
		    good && wanted.length == content->length &&
			(wanted.length == 0 ||
			    memcmp(wanted.text, content->text, wanted.length) ==
				0),
		    "a message that its chunks were not");
	free(wanted.text);
	session->events--; /* the question of the last BDAT is this one */
}

/* RFC 5321 4.1.1.4: the content of a message ended as it must, only there. */
static void
judge_end(struct session *session)
{
	const char *begin = session->input + session->data;
	size_t end = used(session), length = end - session->data;

	demand(session, session->state == 4, "a message without DATA");
	if (config.newline == DATA_TERMINAL)
		return;
	if (session->failed || (length == 3 && memcmp(begin, ".\r\n", 3) == 0))
		return;
	demand(session,
	    length >= 5 && memcmp(begin + length - 5, "\r\n.\r\n", 5) == 0,
	    "a message that did not end in CRLF.CRLF");
	demand(session,
	    !session->failed && memcmp(begin, ".\r\n", 3) != 0 &&
		!memmem(begin, length - 1, "\r\n.\r\n", 5),
	    "a message with CRLF.CRLF in it");
}

static void
keep(struct session *session, const struct smtp_event *event)
{
	struct text *content = &session->content;

	add(content, event->text, event->length);
	/* The CR of a line end comes out before the line end is counted. */
	demand(session,
	    !config.size_max || content->length <= config.size_max + 1,
	    "more content than the limit");
}

/* FNV-1a */
static uint64_t
hash(const char *text, size_t length)
{
	uint64_t value = 0xcbf29ce484222325;

	for (size_t i = 0; i < length; i++)
		value = (value ^ (unsigned char)text[i]) * 0x100000001b3;
	return value;
}

static void
log_message(struct session *session)
{
	struct text *content = &session->content, *log = &session->log;

	say(log, "MESSAGE octets=%zu", content->length);
	if (content->length <= 256)
		add_field(log, "content", content->text, content->length);
	else
		say(log, " hash=%016llx",
		    (unsigned long long)hash(content->text, content->length));
	add(log, "\n", 1);
	content->length = 0;
}

static void
log_event(struct session *session, const struct smtp_event *event)
{
	struct text *log = &session->log;

	if (event->kind == SMTP_MESSAGE) {
		log_message(session);
		return;
	}
	say(log, "%s", kinds[event->kind]);
	if (event->command)
		say(log, " verb=%s", event->command->verb);
	/* The argument of AUTH has been decoded in place. */
	if (event->argument && event->command &&
	    event->command->kind != SMTP_LOGIN)
		add_field(
		    log, "argument", event->argument, event->argument_length);
	if (event->kind == SMTP_REFUSED &&
	    !(event->command && event->command->kind == SMTP_LOGIN))
		add_field(log, "line", event->line, event->line_length);
	if (event->text)
		add_field(log, "text", event->text, event->length);
	if (event->kind == SMTP_MAIL || event->kind == SMTP_RCPT) {
		const struct address *address = &event->address;

		add_field(log, "address", address->text, address->length);
		say(log, " local=%zu", address->local_length);
		add_field(
		    log, "domain", address->domain, address->domain_length);
		add_field(log, "params", event->params, event->params_length);
		if (address->utf8)
			say(log, " utf8-address");
	}
	if (event->utf8)
		say(log, " utf8");
	if (event->binary)
		say(log, " binary");
	if (event->user)
		add_field(log, "user", event->user, event->user_length);
	if (event->password && event->kind > SMTP_ASKED)
		add_field(
		    log, "password", event->password, event->password_length);
	if (event->greets)
		say(log, " greets");
	if (event->logs_in)
		say(log, " logs-in");
	add(log, "\n", 1);
}

/* Our own idea of the sequence (RFC 5321 4.1.4). */
static void
judge_sequence(struct session *session, enum smtp_kind kind)
{
	demand(session, session->verdicts == 0 || kind == SMTP_VERDICT,
	    "too few verdicts");
	switch (kind) {
	case SMTP_MAIL:
		demand(session, session->state == 1, "MAIL out of sequence");
		demand(session, !config.require_auth || session->known,
		    "MAIL before AUTH");
		demand(session, !config.require_tls || session->secure,
		    "MAIL before TLS");
		break;
	case SMTP_STARTTLS:
		demand(session,
		    session->state == 1 && config.starttls &&
			!session->secure && !session->known,
		    "STARTTLS out of sequence");
		break;
	case SMTP_ASKED:
	case SMTP_LOGIN:
	case SMTP_CHALLENGE:
	case SMTP_RESPONSE:
		demand(session,
		    session->state == 1 && !session->known &&
			(session->secure || config.auth_plaintext) &&
			(config.auth || config.mechanism_count > 0),
		    "AUTH out of sequence");
		break;
	case SMTP_XCLIENT:
		demand(session, session->state < 2 && config.takes_xclient,
		    "XCLIENT out of sequence");
		break;
	case SMTP_RCPT:
		demand(session, session->state == 2 || session->state == 3,
		    "RCPT out of sequence");
		demand(session,
		    !config.recipients_max ||
			session->recipients < config.recipients_max,
		    "too many recipients");
		break;
	case SMTP_DATA:
		demand(session, session->state == 3 && session->recipients > 0,
		    "DATA out of sequence");
		session->data = used(session);
		session->content.length = session->chunks.length = 0;
		break;
	case SMTP_CHUNK:
		demand(session, session->state == 5 && !session->chunk,
		    "BDAT out of sequence");
		break;
	case SMTP_VERDICT:
		demand(session, session->verdicts > 0, "too many verdicts");
		session->verdicts--;
		return;
	case SMTP_MESSAGE:
	case SMTP_DROPPED:
		/* RFC 2033 4.2 */
		if (config.lmtp && kind == SMTP_MESSAGE)
			session->verdicts = session->recipients - 1;
		else if (config.lmtp)
			session->owed = session->recipients - 1;
		if (session->state == 5)
			judge_chunks(session, kind);
		else
			judge_end(session);
		break;
	case SMTP_CONTENT:
		demand(session,
		    session->state == 4 ||
			(session->state == 5 && session->chunk &&
			    used(session) <= session->chunk_end),
		    "content without DATA");
		break;
	default:
		demand(session, session->state != 4 && !session->chunk,
		    "a command within DATA");
		break;
	}
}

/* A BDAT, taken or refused: its own idea of the octets that follow. */
static void
begin_chunk(struct session *session, const struct smtp_event *event)
{
	const char *argument = event->argument;
	size_t length = event->argument_length, digits = 0;
	uint64_t size = 0, left = session->length - used(session);

	while (digits < length && argument[digits] != ' ')
		digits++;
	(void)number_parse(argument, digits, UINT64_MAX, &size);
	session->chunk = true;
	session->last = length > digits;
	session->chunk_end =
	    used(session) + (size_t)(size < left ? size : left);
	add(&session->chunks, session->input + used(session),
	    size < left ? size : left);
	if (size > left) /* the end of the input comes first */
		session->chunk_end = SIZE_MAX;
}

/* The reply that the options give to the event, or chance; NULL: none. */
static const char *
answer_to(struct session *session, enum smtp_kind kind)
{
	static const char *const random[] = {"250 2.0.0 OK", "250 OK\n",
	    "550 5.7.1 No\r\n", "451-4.3.0 Wait\r\n451 4.3.0 a bit\n",
	    "550-No\n550 no", "421 4.3.2 Gone", "221 2.0.0 Bye", "no reply",
	    "250-unfinished\n", "354 Go", "", "550 5.1.1 \xC3\xA4"};
	size_t length = strlen(kinds[kind]);

	for (size_t i = 0; i < answer_count; i++) {
		const char *of = answers[i].kind;

		if (strncmp(of, kinds[kind], length) != 0)
			continue;
		if (of[length] == '\0' ||
		    (of[length] == ':' && (unsigned)atoi(of + length + 1) ==
					      session->counts[kind]))
			return answers[i].reply;
	}
	/* Mostly yes, or nothing would ever happen. */
	if (session->answer_seed && chance(&session->answer_seed, 4) == 0)
		return random[chance(&session->answer_seed, COUNT(random))];
	if (kind == SMTP_LOGIN)
		return REPLY_LOGGED_IN;
	if (kind == SMTP_STARTTLS)
		return REPLY_TLS;
	return kind == SMTP_MESSAGE || kind == SMTP_VERDICT ? "250 2.0.0 OK"
							    : NULL;
}

/* Octets that the machine has used. */
static size_t used(struct session *session);

/* TLS begins: what came before it is gone, and then comes the next. */
static void
begin_tls(struct session *session)
{
	static const char mark[] = "<TLS>";
	size_t from = session->given;
	const char *found;

	demand(session, used(session) == from, "plain text is left");
	from = session->tls;
	found = memmem(
	    session->input + from, session->length - from, mark, strlen(mark));
	session->given = found ? (size_t)(found - session->input) + strlen(mark)
			       : session->length;
}

/* The caller's part of AUTH; false: it is no challenge. */
static bool
challenge(struct session *session, enum smtp_kind kind)
{
	if ((kind != SMTP_CHALLENGE && kind != SMTP_RESPONSE) ||
	    session->events % 3 == 0)
		return false;
	smtp_challenge(&session->smtp, "QUJD", 4);
	return true;
}

static void
answer(struct session *session, enum smtp_kind kind)
{
	const char *reply;

	session->events++;
	session->asked = kind;
	session->counts[kind]++;
	session->greets = session->smtp.event.greets;
	session->logs_in = session->smtp.event.logs_in;
	reply = answer_to(session, kind);
	session->custom = reply != NULL;
	if (!reply && challenge(session, kind))
		return;
	if (kind == SMTP_STARTTLS)
		session->tls = used(session);
	/* The octets come before the reply: is it taken? */
	if (session->chunk) {
		int code =
		    reply ? reply_code(reply, strlen(reply), session->smtp.utf8)
			  : 250;

		if (code / 100 == 2)
			session->state = 5;
		/* RFC 2033 4.3 */
		else if (config.lmtp && session->last && code != 421)
			session->verdicts = session->recipients - 1;
	}
	if (reply)
		smtp_reply(&session->smtp, reply, strlen(reply));
	if (kind == SMTP_STARTTLS && session->smtp.secure)
		begin_tls(session);
}

/* A refusal by the machine. */
static void
refused(struct session *session, const struct smtp_event *event)
{
	bool bdat = event->command && strcmp(event->command->verb, "BDAT") == 0;
	bool may_be = session->state == 5 && session->smtp.line.skipping;

	if (bdat)
		begin_chunk(session, event);
	if (bdat && session->smtp.line.skipping)
		session->chunk_end = used(session); /* the line is void */
	if (session->state > 1 && (bdat || may_be))
		session->state = 1;
}

/* One step; false when there is nothing more. */
static bool
step(struct session *session)
{
	const struct smtp_event *event = smtp_next(&session->smtp);
	enum smtp_kind kind = event->kind;

	listen(session, kind >= SMTP_DROPPED && kind <= SMTP_ASKED &&
				session->smtp.held == 0
			    ? event->reply_length
			    : 0);
	if (kind > SMTP_CLOSE) {
		judge_sequence(session, kind);
		if (kind == SMTP_CONTENT) {
			keep(session, event);
			return true;
		}
		if (kind == SMTP_DROPPED)
			session->content.length = 0;
		log_event(session, event);
		if (kind == SMTP_MAIL)
			session->binary = event->binary;
		if (kind == SMTP_CHUNK ||
		    (kind == SMTP_DATA && event->command->kind == SMTP_CHUNK))
			begin_chunk(session, event);
		if (kind == SMTP_REFUSED)
			refused(session, event);
		move(session);
		if (kind >= SMTP_CONNECT) {
			answer(session, kind);
		} else {
			session->events++;
			session->asked = kind;
			session->custom = false;
			listen(session, 0);
		}
		return true;
	}
	demand(session,
	    kind != SMTP_READ || session->chunk ||
		(session->verdicts == 0 && session->owed == 0),
	    "a recipient without its verdict");
	demand(session,
	    session->replies + session->chunk == session->events &&
		session->code == 0,
	    "a question without its reply");
	drain(session, kind == SMTP_WRITE);
	return kind == SMTP_WRITE || (kind == SMTP_READ && give(session));
}

/* The whole input. The log is the caller's to free; NULL if a demand failed. */
static char *
run(const char *input, size_t length, const struct chunking *chunking,
    uint64_t answer_seed, size_t *log_length)
{
	static struct session session;
	size_t rest;

	memset(&session, 0, sizeof session);
	session.input = input;
	session.length = length;
	session.chunking = *chunking;
	session.answer_seed = answer_seed;
	/* What a caller left in the structure is of no interest. */
	memset(&session.smtp, 0xA5, sizeof session.smtp);
	smtp_begin(&session.smtp, &config);
	session.secure = config.secure;
	while (!session.failed && step(&session))
		continue;
	(void)smtp_rest(&session.smtp, &rest);
	say(&session.log, "END%s%s, %zu octets unused\n",
	    session.smtp.closed ? " closed" : "",
	    smtp_receiving(&session.smtp) ? " receiving" : "",
	    session.length - session.given + rest);
	for (int i = 0; i < 2 && session.smtp.closed; i++)
		demand(&session, smtp_next(&session.smtp)->kind == SMTP_CLOSE,
		    "something happened behind the end");
	free(session.lent);
	free(session.old);
	free(session.content.text);
	free(session.chunks.text);
	*log_length = session.log.length;
	if (!session.failed)
		return session.log.text;
	free(session.log.text);
	return NULL;
}

/* True if the log is this one for that way of cutting, too. */
static bool
same(const char *input, size_t length, const struct chunking *chunking,
    uint64_t answer_seed, const char *log, size_t log_length)
{
	size_t other_length;
	char *other = run(input, length, chunking, answer_seed, &other_length);
	bool good = other && other_length == log_length &&
		    memcmp(log, other, log_length) == 0;

	if (!good && other)
		fprintf(stderr,
		    "events: another log where first=%zu size=%zu "
		    "random=%d seed=%llu:\n%.*s\ninstead of\n%.*s\n",
		    chunking->first, chunking->size, chunking->random,
		    (unsigned long long)chunking->seed, (int)other_length,
		    other, (int)log_length, log);
	free(other);
	return good;
}

static bool
every(const char *input, size_t length, const char *log, size_t log_length)
{
	struct chunking chunking = {.size = 1};
	bool good = same(input, length, &chunking, 0, log, log_length);

	chunking = (struct chunking){0};
	for (size_t i = 1; good && length <= 4096 && i < length; i++) {
		chunking.first = i;
		good = same(input, length, &chunking, 0, log, log_length);
	}
	chunking = (struct chunking){.random = true};
	for (int i = 0; good && i < 20; i++) {
		chunking.seed = (uint64_t)i;
		good = same(input, length, &chunking, 0, log, log_length);
	}
	return good;
}

/* --matrix: what each command is answered in each state, and which state is
 * the next. */

static const struct {
	const char *name;
	const char *input;
} states[] = {
    {"start", ""},
    {"ready", "EHLO client.example\r\n"},
    {"sender", "EHLO client.example\r\nMAIL FROM:<a@b>\r\n"},
    {"recipient",
	"EHLO client.example\r\nMAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\n"},
    {"after RSET", "EHLO client.example\r\nMAIL FROM:<a@b>\r\n"
		   "RCPT TO:<c@d>\r\nRSET\r\n"},
    {"after message", "EHLO client.example\r\nMAIL FROM:<a@b>\r\n"
		      "RCPT TO:<c@d>\r\nDATA\r\n.\r\n"},
    {"after BDAT", "EHLO client.example\r\nMAIL FROM:<a@b>\r\n"
		   "RCPT TO:<c@d>\r\nBDAT 1\r\nx"},
};

/* An argument that is right, where "x" is not. */
static const struct {
	const char *verb, *argument;
} arguments[] = {{"MAIL", "FROM:<a@b>"}, {"RCPT", "TO:<c@d>"}, {"BDAT", "0"},
    {"AUTH", "LOGIN"}, {"XCLIENT", "NAME=x"}};

/* States that there are with AUTH and STARTTLS only. */
static const struct {
	const char *name;
	const char *input;
} more_states[] = {
    {"after AUTH", "EHLO client.example\r\nAUTH PLAIN AGEAYg==\r\n"},
    {"in AUTH", "EHLO client.example\r\nAUTH PLAIN\r\n"},
    {"after STARTTLS", "EHLO client.example\r\nSTARTTLS\r\n<TLS>"},
    {"in TLS", "EHLO client.example\r\nSTARTTLS\r\n<TLS>"
	       "EHLO client.example\r\n"},
};

static const char *
argument_of(const char *verb)
{
	for (size_t i = 0; i < COUNT(arguments); i++)
		if (strcmp(arguments[i].verb, verb) == 0 &&
		    (config.auth || strcmp(verb, "AUTH") != 0))
			return arguments[i].argument;
	return "x";
}

/* The state by name, as the machine has it. */
static const char *
state_name(const struct session *session)
{
	if (session->smtp.closed)
		return "closed";
	if (smtp_receiving(&session->smtp))
		return "data";
	if (session->smtp.exchange.open)
		return "response";
	switch (session->smtp.state) {
	case SMTP_STATE_START:
		return "start";
	case SMTP_STATE_READY:
		return "ready";
	case SMTP_STATE_SENDER:
		return "sender";
	case SMTP_STATE_CHUNKS:
		return "chunks";
	default:
		return "recipient";
	}
}

static bool
cell(const char *before, const char *line)
{
	static struct session session;
	char input[512], text[64], from[16];
	const char *reply, *output;
	enum smtp_kind kind;
	size_t length;

	memset(&session, 0, sizeof session);
	smtp_begin(&session.smtp, &config);
	session.secure = config.secure;
	session.input = input;
	session.length = (size_t)sprintf(input, "%s", before);
	if (config.lmtp && *before)
		*input = 'L'; /* LHLO */
	while (!session.failed && step(&session))
		continue;
	sprintf(from, "%s", state_name(&session));
	session.length +=
	    (size_t)sprintf(input + session.length, "%s\r\n", line);
	/* Up to SMTP_READ, not behind it: the reply must still be there. */
	(void)give(&session);
	do {
		kind = smtp_next(&session.smtp)->kind;
		if (kind == SMTP_MESSAGE || kind == SMTP_VERDICT)
			smtp_reply(&session.smtp, REPLY_OK, strlen(REPLY_OK));
		if (kind == SMTP_LOGIN)
			smtp_reply(&session.smtp, REPLY_LOGGED_IN,
			    strlen(REPLY_LOGGED_IN));
	} while (kind > SMTP_CLOSE && kind != SMTP_CHALLENGE);
	output = smtp_output(&session.smtp, &length);
	reply = length > 1 ? output + length - 2 : output;
	while (reply > output && reply[-1] != '\n')
		reply--;
	length = (size_t)(output + length - reply);
	sprintf(text, "%.*s%s%s",
	    length > 8 && is_enhanced(reply, length) ? 9 : 3, reply,
	    strcmp(from, state_name(&session)) ? " > " : "",
	    strcmp(from, state_name(&session)) ? state_name(&session) : "");
	printf("%-22s", text);
	free(session.lent);
	free(session.old);
	free(session.log.text);
	free(session.content.text);
	free(session.chunks.text);
	return !session.failed;
}

static bool
matrix_row(const char *verb, const char *argument)
{
	char line[64];
	bool good = true;

	sprintf(line, "%s%s%s", verb, *argument ? " " : "", argument);
	printf("%-18s", line);
	for (size_t i = 0; i < COUNT(states); i++)
		good = cell(states[i].input, line) && good;
	for (size_t i = 0; config.auth && i < COUNT(more_states); i++)
		good = cell(more_states[i].input, line) && good;
	printf("\n");
	return good;
}

static bool
matrix(void)
{
	bool good = true;

	printf("%-18s", "");
	for (size_t i = 0; i < COUNT(states); i++)
		printf("%-22s", states[i].name);
	for (size_t i = 0; config.auth && i < COUNT(more_states); i++)
		printf("%-22s", more_states[i].name);
	printf("\n");
	for (size_t i = 0; i < SMTP_COMMANDS; i++) {
		const char *verb = smtp_commands[i].verb;

		good = matrix_row(verb, "") && good;
		good = matrix_row(verb, argument_of(verb)) && good;
	}
	good = matrix_row("BDAT", "0 LAST") && good;
	good = matrix_row("FOO", "") && good;
	good = matrix_row("FOO", "x") && good;
	return matrix_row("", "") && good;
}

/* Of the caller; one takes the place of one of the machine's. */
static const char *mechanisms[ANSWERS] = {"X", "LOGIN"};

/* --random: sessions from a grammar, under random limits. */

static const char *const fragments[] = {
    "EHLO client.example\r\n",
    "HELO x\r\n",
    "MAIL FROM:<a@b>\r\n",
    "MAIL FROM:<> SIZE=10 BODY=8BITMIME\r\n",
    "MAIL FROM:<\xC3\xA4@b> SMTPUTF8\r\n",
    "mail from: a@b size=99999\r\n",
    "RCPT TO:<c@d>\r\n",
    "RCPT TO:<postmaster>\r\n",
    "RCPT TO:<@x,@y:\"q d\"@[IPv6:::1]>\r\n",
    "RCPT TO:<c@d> NOTIFY=NEVER\r\n",
    "MAIL FROM:<a@b> RET=HDRS ENVID=x AUTH=<>\r\n",
    "DATA\r\n",
    "DATA x\r\n",
    ".\r\n",
    "\r\n.\r\n",
    "\n.\n",
    "\n.\r\n",
    "\r\n.\n",
    "\r.\r",
    "\r\n..\r\n",
    "Received: from x\r\n",
    "Subject: y\r\n\r\nbody\r\n",
    "RSET\r\n",
    "NOOP\r\n",
    "NOOP x\n",
    "VRFY x\r\n",
    "EXPN x\r\n",
    "HELP\r\n",
    "HELP MAIL\r\n",
    "BDAT 10 LAST\r\n",
    "BDAT 0 LAST\r\n",
    "BDAT 2 LAST\r\n\r\n",
    "BDAT 0\r\n",
    "BDAT 1\r\n\r",
    "BDAT 1\r\n\n",
    "BDAT 3\r\n.\r\n",
    "BDAT 4\r\nx\r\ny",
    "bdat 20  last\r\nReceived: from x\r\n\r\n",
    "BDAT 25\r\nRSET\r\nMAIL FROM:<x@y>\r\n",
    "BDAT 5x\r\n",
    "BDAT 5 x\r\n12345",
    "BDAT 18446744073709551615\r\n",
    "BDAT 18446744073709551616 LAST\r\n",
    "MAIL FROM:<a@b> BODY=BINARYMIME\r\n",
    "AUTH PLAIN x\r\n",
    "AUTH PLAIN AGEAYg==\r\n",
    "AUTH PLAIN\r\n",
    "AUTH LOGIN\r\n",
    "auth login YQ==\r\n",
    "AUTH CRAM-MD5\r\n",
    "AUTH X =\r\n",
    "AGEAYg==\r\n",
    "YQ==\r\n",
    "YSAwMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZg==\r\n",
    "*\r\n",
    "STARTTLS\r\n",
    "<TLS>",
    "XCLIENT NAME=x\r\n",
    "XCLIENT HELO=x LOGIN=y\r\n",
    "XCLIENT NAME=x NAME=y\r\n",
    "FOO\r\n",
    "\r\n",
    "\n",
    "\r",
    " ",
    "\t",
    "<",
    ">",
    "@",
    "=",
    "\"",
    "\\",
    "\xFF",
    "\xC3",
    "EHLO ",
    "MAIL FROM:",
    "RCPT TO:<",
    "GET / HTTP/1.0\r\n",
    "QUIT\r\n",
};

/* Begins of sessions, so that most get somewhere. */
static const char opening[] = "EHLO client.example\r\nMAIL FROM:<a@b>\r\n"
			      "RCPT TO:<c@d>\r\nDATA\r\nSubject: x\r\n";
static const char chunks[] =
    "EHLO client.example\r\nMAIL FROM:<a@b> BODY=BINARYMIME\r\n"
    "MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nBDAT 12\r\nSubject: x\r\n";

/* Chunks are many, and not in vain. */
static void
invent_chunks(struct text *input, uint64_t *seed)
{
	unsigned count = chance(seed, 8);

	add(input, chunks, sizeof chunks - 1);
	for (unsigned i = 0; i < count; i++) {
		char line[32];
		const char *octets = fragments[chance(seed, COUNT(fragments))];
		size_t length = strlen(octets);

		sprintf(line, "BDAT %zu%s\r\n", length,
		    i + 1 == count && chance(seed, 4) ? " LAST" : "");
		add(input, line, strlen(line));
		add(input, octets, length);
	}
}

static void
invent(struct text *input, uint64_t *seed)
{
	unsigned pieces = chance(seed, 30);

	input->length = 0;
	if (chance(seed, 4) == 0)
		invent_chunks(input, seed);
	else if (chance(seed, 4))
		add(input, opening,
		    chance(seed, 4) ? sizeof opening - 1
				    : chance(seed, sizeof opening));
	else if (chance(seed, 2))
		add(input, opening, 21); /* EHLO */
	for (unsigned i = 0; i < pieces; i++) {
		unsigned what = chance(seed, 40);
		const char *fragment =
		    fragments[chance(seed, what > 25 ? 12 : COUNT(fragments))];
		char octet = (char)chance(seed, 256);

		if (what == 0)
			add(input, &octet, 1);
		else if (what == 1)
			for (unsigned n = chance(seed, 1200); n > 0; n--)
				add(input, &octet, 1);
		else
			add(input, fragment,
			    what == 2 ? chance(seed, (unsigned)strlen(fragment))
				      : strlen(fragment));
		if (chance(seed, 12) == 0)
			add(input, "\r\n.\r\n", 5);
	}
	while (config.lmtp && input->length > 0) {
		char *ehlo = memmem(input->text, input->length, "EHLO ", 5);

		if (!ehlo)
			break;
		*ehlo = 'L';
	}
}

static void
invent_config(uint64_t *seed)
{
	config.size_max = chance(seed, 3) ? 33554432 : chance(seed, 50);
	config.recipients_max = chance(seed, 3) ? 1000 : chance(seed, 3);
	config.messages_max = chance(seed, 4) ? 0 : chance(seed, 3);
	config.errors_max = chance(seed, 3) ? 20 : chance(seed, 4);
	config.hops_max = chance(seed, 3) ? 100 : chance(seed, 3);
	config.lmtp = chance(seed, 3) == 0;
	config.utf8 = chance(seed, 2);
	config.hidden = chance(seed, 3) ? 0 : chance(seed, 1u << 16);
	config.crlf = chance(seed, 2);
	config.starttls = chance(seed, 2);
	config.secure = !config.starttls && chance(seed, 3) == 0;
	config.auth = chance(seed, 2);
	config.auth_cram = chance(seed, 2);
	config.auth_plaintext = chance(seed, 2);
	config.mechanisms = mechanisms;
	config.mechanism_count = chance(seed, 3);
	config.require_auth = chance(seed, 5) == 0;
	config.require_tls = chance(seed, 5) == 0;
	config.xclient = chance(seed, 2);
	config.takes_xclient = chance(seed, 2);
	config.newline = (enum data_newline)chance(seed, 3);
}

/* One random session; false if something was wrong with it. */
static bool
random_session(struct text *input, uint64_t seed, unsigned *messages)
{
	struct chunking chunking = {0};
	uint64_t state = seed, answers_seed;
	size_t length;
	char *log;
	bool good;

	invent_config(&state);
	invent(input, &state);
	answers_seed = chance(&state, 3) ? 1 + chance(&state, 1u << 30) : 0;
	log = run(input->text, input->length, &chunking, answers_seed, &length);
	if (!log)
		return false;
	if (memmem(log, length, "\nMESSAGE ", 9))
		++*messages;
	if (chance(&state, 4))
		chunking = (struct chunking){.random = true, .seed = state};
	else
		chunking.size = 1;
	good = same(
	    input->text, input->length, &chunking, answers_seed, log, length);
	free(log);
	return good;
}

static bool
random_sessions(unsigned long count, uint64_t seed)
{
	struct text input = {0}, shown = {0};
	unsigned messages = 0;

	add(&input, "", 0);
	for (unsigned long i = 0; i < count; i++, seed++) {
		if (random_session(&input, seed, &messages))
			continue;
		add_escaped(&shown, input.text, input.length);
		fprintf(stderr, "events: seed %llu: %.*s\n",
		    (unsigned long long)seed, (int)shown.length, shown.text);
		free(shown.text);
		free(input.text);
		return false;
	}
	free(input.text);
	printf("%lu sessions, %u with a message\n", count, messages);
	return true;
}

static size_t
number(const char *text)
{
	uint64_t value;

	if (number_parse(text, strlen(text), SIZE_MAX, &value))
		return (size_t)value;
	fprintf(stderr, "events: \"%s\" is no number\n", text);
	exit(64);
}

static void
set_newline(const char *policy)
{
	static const char *const names[] = {
	    [DATA_REJECT] = "reject",
	    [DATA_NORMALIZE] = "normalize",
	    [DATA_TERMINAL] = "terminal",
	};

	for (size_t i = 0; i < COUNT(names); i++) {
		if (strcmp(policy, names[i]) == 0) {
			config.newline = (enum data_newline)i;
			return;
		}
	}
	fprintf(stderr, "events: no policy \"%s\"\n", policy);
	exit(64);
}

static void
set_answer(char *text)
{
	char *reply = strchr(text, '=');

	if (answer_count == ANSWERS) {
		fprintf(stderr, "events: too many answers\n");
		exit(64);
	}
	if (reply)
		*reply++ = '\0';
	answers[answer_count].kind = text;
	answers[answer_count++].reply = reply;
}

static const struct option options[] = {
    {"size", required_argument, NULL, 's'},
    {"lmtp", no_argument, NULL, 'L'},
    {"smtputf8", no_argument, NULL, 'u'},
    {"bare-newline", required_argument, NULL, 'b'},
    {"crlf", no_argument, NULL, 'C'},
    {"hostname", required_argument, NULL, 'H'},
    {"max-recipients", required_argument, NULL, 'R'},
    {"max-messages", required_argument, NULL, 'M'},
    {"max-errors", required_argument, NULL, 'E'},
    {"max-hops", required_argument, NULL, 'O'},
    {"single", no_argument, NULL, '1'},
    {"hide", required_argument, NULL, 'h'},
    {"auth", required_argument, NULL, 'A'},
    {"auth-plaintext", no_argument, NULL, 'P'},
    {"auth-cram-md5", no_argument, NULL, '5'},
    {"require-auth", no_argument, NULL, 'Q'},
    {"tls", no_argument, NULL, 't'},
    {"require-tls", no_argument, NULL, 'q'},
    {"starttls", no_argument, NULL, 'W'},
    {"mechanism", required_argument, NULL, 'm'},
    {"xclient", required_argument, NULL, 'X'},
    {"takes-xclient", no_argument, NULL, 'x'},
    {"chunk", required_argument, NULL, 'c'},
    {"random-chunks", required_argument, NULL, 'r'},
    {"every", no_argument, NULL, 'e'},
    {"answer", required_argument, NULL, 'a'},
    {"matrix", no_argument, NULL, 'T'},
    {"random", required_argument, NULL, 'N'},
    {"seed", required_argument, NULL, 'S'},
    {0},
};

static struct {
	struct chunking chunking;
	bool every, matrix;
	unsigned long random;
	uint64_t seed;
} mode = {.seed = 1};

static void
set_option(int option, char *value)
{
	switch (option) {
	case 's':
		config.size_max = number(value);
		break;
	case 'L':
		config.lmtp = true;
		break;
	case 'u':
		config.utf8 = true;
		break;
	case 'b':
		set_newline(value);
		break;
	case 'C':
		config.crlf = true;
		break;
	case 'H':
		config.hostname = value;
		break;
	case 'R':
		config.recipients_max = number(value);
		break;
	case 'M':
		config.messages_max = number(value);
		break;
	case 'E':
		config.errors_max = number(value);
		break;
	case 'O':
		config.hops_max = number(value);
		break;
	case '1':
		config.recipients_max = 1;
		break;
	case 'h':
		config.hidden |= smtp_keyword(value, strlen(value));
		break;
	case 'A':
		config.auth = true;
		break;
	case 'P':
		config.auth_plaintext = true;
		break;
	case '5':
		config.auth_cram = true;
		break;
	case 'Q':
		config.require_auth = true;
		break;
	case 't':
		config.secure = true;
		break;
	case 'q':
		config.require_tls = true;
		break;
	case 'W':
		config.starttls = true;
		break;
	case 'm':
		config.mechanisms = mechanisms;
		if (config.mechanism_count == ANSWERS)
			exit(64);
		mechanisms[config.mechanism_count++] = value;
		break;
	case 'c':
		mode.chunking.size = number(value);
		break;
	case 'r':
		mode.chunking.random = true;
		mode.chunking.seed = number(value);
		break;
	case 'e':
		mode.every = true;
		break;
	case 'a':
		set_answer(value);
		break;
	case 'x':
		config.takes_xclient = true;
		/* fall through */
	case 'X':
		config.xclient = true;
		break;
	case 'T':
		mode.matrix = true;
		break;
	case 'N':
		mode.random = number(value);
		break;
	case 'S':
		mode.seed = number(value);
		break;
	default:
		exit(64);
	}
}

static bool
session_from(FILE *file)
{
	char *input = malloc(INPUT_MAX), *log;
	size_t length, log_length;
	bool good;

	if (!input)
		abort();
	length = fread(input, 1, INPUT_MAX, file);
	log = run(input, length, &mode.chunking, 0, &log_length);
	good = log != NULL;
	if (good && mode.every)
		good = every(input, length, log, log_length);
	if (good)
		fwrite(log, 1, log_length, stdout);
	free(log);
	free(input);
	return good;
}

int
main(int argc, char **argv)
{
	FILE *file = stdin;
	bool good;
	int option;

	while ((option = getopt_long(
		    argc, argv, "s:uLb:C1c:r:ea:", options, NULL)) != -1)
		set_option(option, optarg);
	if (mode.matrix)
		return !matrix();
	if (mode.random)
		return !random_sessions(mode.random, mode.seed);
	if (optind < argc && !(file = fopen(argv[optind], "rb"))) {
		perror(argv[optind]);
		return 66;
	}
	good = session_from(file);
	if (file != stdin)
		(void)fclose(file);
	return !good;
}
