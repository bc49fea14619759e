#include "smtp.h"

#include <string.h>

#include "commands.h"
#include "exchange.h"
#include "machine.h"
#include "receive.h"

/* Forgets what the client has said of itself. */
static void
begin_anew(struct smtp *smtp)
{
	smtp->state = SMTP_STATE_START;
	machine_end_transaction(smtp);
	smtp->authenticated = false;
}

/* Forgets that too, and what it sent unasked (RFC 3207 4.2). */
static void
begin_tls(struct smtp *smtp)
{
	begin_anew(smtp);
	smtp->secure = true;
	smtp->input_length = 0;
	smtp->line.skipping = false;
	smtp->line.length = 0;
	smtp->line.last = '\0';
}

static bool
is_login(enum smtp_kind kind)
{
	return kind == SMTP_LOGIN || kind == SMTP_CHALLENGE ||
	       kind == SMTP_RESPONSE;
}

/* The step that the event announced has been granted. */
static void
granted(struct smtp *smtp)
{
	switch (smtp->event.kind) {
	case SMTP_HELO:
		smtp->state = SMTP_STATE_READY;
		machine_end_transaction(smtp);
		break;
	case SMTP_MAIL:
		smtp->state = SMTP_STATE_SENDER;
		smtp->utf8 = smtp->event.utf8;
		smtp->binary = smtp->event.binary;
		break;
	case SMTP_RCPT:
		smtp->state = SMTP_STATE_RECIPIENT;
		smtp->recipients++;
		break;
	case SMTP_DATA:
		if (!smtp->closed) /* 221 */
			receive_begin(smtp);
		break;
	case SMTP_MESSAGE:
	case SMTP_VERDICT:
		smtp->errors = 0;
		break;
	case SMTP_QUIT:
		smtp->closed = true;
		break;
	case SMTP_STARTTLS:
		begin_tls(smtp);
		break;
	case SMTP_XCLIENT:
		begin_anew(smtp);
		if (smtp->event.greets)
			smtp->state = SMTP_STATE_READY;
		smtp->authenticated = smtp->event.logs_in;
		break;
	case SMTP_LOGIN:
	case SMTP_CHALLENGE:
	case SMTP_RESPONSE:
		smtp->authenticated = true;
		break;
	default:
		break;
	}
}

/* Whatever the answer, these have happened. */
static void
answered(struct smtp *smtp, size_t start)
{
	machine_said(smtp, start);
	if (machine_code(smtp, start) < 400)
		granted(smtp);
	else if (smtp->event.kind == SMTP_CONNECT ||
		 smtp->event.kind == SMTP_XCLIENT)
		smtp->state = SMTP_STATE_REFUSED;
	else if (is_bdat(smtp))
		receive_refused(smtp, start);
	if (machine_is_verdict(smtp->event.kind))
		receive_judged(smtp);
	if (smtp->event.kind == SMTP_RESET)
		machine_end_transaction(smtp);
	if (is_login(smtp->event.kind))
		exchange_end(smtp);
	smtp->pending = false;
}

/* Words the answer where nobody gave one. */
static void
word_default(struct smtp *smtp)
{
	const struct smtp_command *row = smtp->event.command;

	if (machine_is_verdict(smtp->event.kind)) {
		smtp_say(smtp, REPLY_TRY_LATER, strlen(REPLY_TRY_LATER));
	} else if (is_login(smtp->event.kind)) {
		smtp_say(smtp, REPLY_LOGIN_FAILED, strlen(REPLY_LOGIN_FAILED));
	} else if (smtp->event.kind == SMTP_CONNECT) {
		compose_greeting(smtp, &smtp->event);
	} else if (row->compose) {
		row->compose(smtp, &smtp->event);
	} else {
		smtp_say(smtp, row->reply, strlen(row->reply));
	}
}

static void
answer_by_default(struct smtp *smtp)
{
	size_t start = smtp->output_length;

	/* RFC 3030 2: a BDAT is answered when its octets are there. */
	if (is_bdat(smtp)) {
		smtp->pending = false;
		granted(smtp);
		return;
	}
	word_default(smtp);
	answered(smtp, start);
}

size_t
smtp_default(struct smtp *smtp, char *text, size_t size)
{
	size_t start = smtp->output_length, length;

	if (!smtp->pending || size < SMTP_REPLY_MAX)
		__builtin_trap();
	word_default(smtp);
	length = smtp->output_length - start;
	memcpy(text, smtp->output + start, length);
	smtp->output_length = start;
	return length;
}

void
smtp_reply(struct smtp *smtp, const char *text, size_t length)
{
	size_t start = smtp->output_length;
	/* UTF-8 only to those who asked for it (RFC 6531 3.7.4.2). */
	bool utf8 = smtp->utf8 || smtp->event.utf8;
	int code = reply_code(text, length, utf8);

	if (!smtp->pending)
		__builtin_trap();
	if (code == 0) {
		text = REPLY_TRY_LATER;
		length = strlen(text);
	}
	if (code / 100 == 2 && code != 221 && smtp->event.kind == SMTP_DATA) {
		answer_by_default(smtp);
		return;
	}
	for (size_t at = 0; at < length;) {
		const char *line = text + at;
		const char *newline = memchr(line, '\n', length - at);
		size_t n = newline ? (size_t)(newline - line) : length - at;

		at += n + 1;
		smtp_say(smtp, line, n > 0 && line[n - 1] == '\r' ? n - 1 : n);
	}
	answered(smtp, start);
}

void
smtp_challenge(struct smtp *smtp, const char *text, size_t length)
{
	/* At SMTP_LOGIN the mechanism has had its say. */
	if (!smtp->pending || !smtp->exchange.open ||
	    length > SMTP_CHALLENGE_MAX)
		__builtin_trap();
	machine_put(smtp, "334 ", 4);
	smtp_say(smtp, text, length);
	smtp->pending = false;
}

void
smtp_end(struct smtp *smtp, const char *reply)
{
	if (!smtp->closed)
		smtp_say(smtp, reply, strlen(reply));
	smtp->closed = true;
	smtp->pending = false;
	smtp->input_length = smtp->held = 0;
}

/* What refuses a line before it is looked at as a command. */
static const char *
objection(
    struct smtp *smtp, enum line_found found, const char *line, size_t length)
{
	size_t errors_max = smtp->config->errors_max;
	bool first = !smtp->opened;

	smtp->opened = true;
	if (first && command_is_probe(line, length))
		return REPLY_NO_MAIL_CLIENT;
	if (errors_max && smtp->errors >= errors_max)
		return REPLY_ERRORS;
	if (found == LINE_LONG)
		return REPLY_LINE_LENGTH;
	if (found == LINE_BARE)
		return REPLY_BARE_NEWLINE;
	return NULL;
}

/* The first octets of a TLS ClientHello (RFC 8446 5.1): no line will come. */
static bool
is_tls(const struct smtp *smtp)
{
	return !smtp->opened && smtp->input_length > 0 &&
	       smtp->line.length == 0 && smtp->input[0] == 0x16;
}

/* What AUTH, or a response in it, has come to. */
static const struct smtp_event *
exchanged(struct smtp *smtp, const char *reply)
{
	if (!reply)
		return machine_event(smtp, smtp->event.kind);
	exchange_end(smtp);
	return machine_refuse(smtp, SMTP_REFUSED, reply);
}

/* The line is a response to a challenge of AUTH. */
static const struct smtp_event *
next_response(struct smtp *smtp)
{
	char *line;
	size_t length;
	const char *reply;
	enum line_found found;

	smtp->event = (struct smtp_event){0};
	found = line_take(
	    &smtp->line, &smtp->input, &smtp->input_length, &line, &length);
	if (found == LINE_NONE)
		return machine_event(smtp, SMTP_READ);
	exchange_event(smtp);
	switch (found) {
	case LINE_LONG:
		reply = REPLY_LINE_LENGTH;
		break;
	case LINE_BARE:
		reply = REPLY_BARE_NEWLINE;
		break;
	default:
		reply = exchange_take(smtp, line, length);
		break;
	}
	return exchanged(smtp, reply);
}

static const struct smtp_event *
next_line(struct smtp *smtp)
{
	char *line;
	size_t length;
	const char *reply;
	enum line_found found;

	smtp->event = (struct smtp_event){0};
	if (is_tls(smtp))
		return machine_refuse(smtp, SMTP_REFUSED, REPLY_NO_MAIL_CLIENT);
	found = line_take(
	    &smtp->line, &smtp->input, &smtp->input_length, &line, &length);
	if (found == LINE_NONE)
		return machine_event(smtp, SMTP_READ);
	reply = objection(smtp, found, line, length);
	command_split(smtp, line, length);
	/* What is void may have been a chunk: the message would lack it. */
	if (smtp->line.skipping && smtp->state == SMTP_STATE_CHUNKS)
		machine_end_transaction(smtp);
	if (!reply)
		reply = command_objection(smtp);
	if (reply)
		return machine_refuse(smtp, SMTP_REFUSED, reply);
	if (smtp->event.command->kind == SMTP_LOGIN)
		return exchanged(smtp, exchange_begin(smtp));
	if (is_bdat(smtp) && smtp->state == SMTP_STATE_CHUNKS)
		return receive_chunk(smtp);
	if (is_bdat(smtp))
		return machine_event(smtp, SMTP_DATA);
	return machine_event(smtp, smtp->event.command->kind);
}

void
smtp_begin(struct smtp *smtp, const struct smtp_config *config)
{
	smtp->config = config;
	smtp->state = SMTP_STATE_START;
	smtp->event = (struct smtp_event){0};
	smtp->greeted = smtp->opened = smtp->closed = false;
	smtp->pending = smtp->receiving = false;
	smtp->utf8 = smtp->binary = false;
	smtp->chunk = (struct chunk){0};
	smtp->verdicts = 0;
	smtp->discard = smtp->held = 0;
	smtp->recipients = smtp->messages = smtp->errors = 0;
	smtp->input = NULL;
	smtp->input_length = smtp->output_length = 0;
	smtp->secure = config->secure;
	smtp->authenticated = smtp->exchange.open = false;
	smtp->exchange.mechanism = NULL;
	smtp->line.strict = config->newline == DATA_REJECT;
	smtp->line.skipping = false;
	smtp->line.length = 0;
	smtp->line.last = '\0';
}

void
smtp_input(struct smtp *smtp, char *text, size_t length)
{
	if (smtp->input_length > 0)
		__builtin_trap();
	smtp->input = text;
	smtp->input_length = length;
}

char *
smtp_rest(struct smtp *smtp, size_t *length)
{
	*length = smtp->input_length;
	smtp->input_length = 0;
	return smtp->input;
}

/* For one reply, and behind it for the line of smtp_end(). */
static bool
has_room(const struct smtp *smtp)
{
	return sizeof smtp->output - smtp->output_length >=
	       SMTP_REPLY_MAX + REPLY_LINE_MAX;
}

const struct smtp_event *
smtp_next(struct smtp *smtp)
{
	if (smtp->pending)
		answer_by_default(smtp);
	/* A line of AUTH may not stay. */
	if (smtp->event.command && smtp->event.command->kind == SMTP_LOGIN)
		sasl_wipe(smtp->line.text, sizeof smtp->line.text);
	if (smtp->closed)
		return machine_event(smtp, SMTP_CLOSE);
	/* First: a reply that is held may leave no room for another. */
	if (smtp->discard > 0 && receive_discard(smtp))
		return machine_event(smtp, SMTP_READ);
	if (!has_room(smtp))
		return machine_event(smtp, SMTP_WRITE);
	while (smtp->verdicts > 0 && !smtp->receiving) {
		const struct smtp_event *event = receive_verdict(smtp);

		if (event || !has_room(smtp))
			return event ? event : machine_event(smtp, SMTP_WRITE);
	}
	if (!smtp->greeted) {
		smtp->greeted = true;
		return machine_event(smtp, SMTP_CONNECT);
	}
	if (smtp->receiving) {
		const struct smtp_event *event = receive_next(smtp);

		/* Where a chunk was answered, another reply may follow. */
		if (event || !has_room(smtp))
			return event ? event : machine_event(smtp, SMTP_WRITE);
	}
	if (smtp->exchange.open)
		return next_response(smtp);
	return next_line(smtp);
}

bool
smtp_receiving(const struct smtp *smtp)
{
	return smtp->receiving || smtp->discard > 0;
}

bool
smtp_transacting(const struct smtp *smtp)
{
	return smtp->state == SMTP_STATE_SENDER ||
	       smtp->state == SMTP_STATE_RECIPIENT ||
	       smtp->state == SMTP_STATE_CHUNKS;
}

bool
smtp_engaged(const struct smtp *smtp)
{
	return smtp->receiving || smtp->verdicts > 0 ||
	       smtp->state == SMTP_STATE_CHUNKS;
}
