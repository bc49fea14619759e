#include "smtp.h"

#include <string.h>

#include "commands.h"
#include "exchange.h"

static const struct smtp_event *
happens(struct smtp *smtp, enum smtp_kind kind)
{
	smtp->event.kind = kind;
	smtp->pending = kind >= SMTP_CONNECT;
	return &smtp->event;
}

static void
put(struct smtp *smtp, const char *text, size_t length)
{
	if (length > sizeof smtp->output - smtp->output_length)
		__builtin_trap();
	memcpy(smtp->output + smtp->output_length, text, length);
	smtp->output_length += length;
}

void
smtp_say(struct smtp *smtp, const char *text, size_t length)
{
	put(smtp, text, length);
	put(smtp, "\r\n", 2);
}

/* The code of the reply that begins at start in the output. */
static int
code_at(const struct smtp *smtp, size_t start)
{
	const char *text = smtp->output + start;

	return (text[0] - '0') * 100 + (text[1] - '0') * 10 + (text[2] - '0');
}

/* A refusal that counts: RFC 5321 4.5.3.1.10 wants 452 4.5.3 not to. */
static bool
is_error(const struct smtp *smtp, size_t start)
{
	static const char full[] = "452 4.5.3";
	size_t length = strlen(full);

	return code_at(smtp, start) >= 400 &&
	       (smtp->output_length - start < length ||
		   memcmp(smtp->output + start, full, length) != 0);
}

/* What every reply does, whoever worded it. */
static void
said(struct smtp *smtp, size_t start)
{
	int code = code_at(smtp, start);

	/* A verdict of 221 is odd, but no end. */
	if (code == 421 || (code == 221 && smtp->event.kind != SMTP_MESSAGE))
		smtp->closed = true;
	if (smtp->event.kind != SMTP_MESSAGE && is_error(smtp, start))
		smtp->errors++;
}

/* The machine's own answer to a line or to a message. */
static const struct smtp_event *
refuse(struct smtp *smtp, enum smtp_kind kind, const char *reply)
{
	size_t start = smtp->output_length;
	const struct smtp_command *row = smtp->event.command;

	put(smtp, reply, strlen(reply));
	if (strcmp(reply, REPLY_SYNTAX) == 0 && row && row->syntax) {
		put(smtp, " ", 1);
		put(smtp, row->syntax, strlen(row->syntax));
	}
	put(smtp, "\r\n", 2);
	if (kind == SMTP_DROPPED)
		smtp->closed = smtp->closed || code_at(smtp, start) == 421;
	else
		said(smtp, start);
	smtp->event.reply = smtp->output + start;
	smtp->event.reply_length = smtp->output_length - start;
	return happens(smtp, kind);
}

static void
end_transaction(struct smtp *smtp)
{
	if (smtp->state != SMTP_STATE_START)
		smtp->state = SMTP_STATE_READY;
	smtp->recipients = 0;
	smtp->utf8 = false;
}

static void
begin_content(struct smtp *smtp)
{
	smtp->receiving = true;
	smtp->hops = (struct hops){0};
	smtp->data = (struct data){
	    .newline = smtp->config->newline,
	    .crlf = smtp->config->crlf,
	};
}

/* Forgets what the client has said of itself. */
static void
begin_anew(struct smtp *smtp)
{
	smtp->state = SMTP_STATE_START;
	end_transaction(smtp);
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
		end_transaction(smtp);
		break;
	case SMTP_MAIL:
		smtp->state = SMTP_STATE_SENDER;
		smtp->utf8 = smtp->event.utf8;
		break;
	case SMTP_RCPT:
		smtp->state = SMTP_STATE_RECIPIENT;
		smtp->recipients++;
		break;
	case SMTP_DATA:
		begin_content(smtp);
		break;
	case SMTP_MESSAGE:
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
	said(smtp, start);
	if (code_at(smtp, start) < 400)
		granted(smtp);
	else if (smtp->event.kind == SMTP_CONNECT ||
		 smtp->event.kind == SMTP_XCLIENT)
		smtp->state = SMTP_STATE_REFUSED;
	if (smtp->event.kind == SMTP_MESSAGE || smtp->event.kind == SMTP_RESET)
		end_transaction(smtp);
	if (is_login(smtp->event.kind))
		exchange_end(smtp);
	smtp->pending = false;
}

/* Words the answer where nobody gave one. */
static void
word_default(struct smtp *smtp)
{
	const struct smtp_command *row = smtp->event.command;

	if (smtp->event.kind == SMTP_MESSAGE) {
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
	if (code / 100 == 2 && smtp->event.kind == SMTP_DATA) {
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
	if (!smtp->pending || length > SMTP_CHALLENGE_MAX)
		__builtin_trap();
	put(smtp, "334 ", 4);
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
	smtp->input_length = 0;
}

/* The message has ended: what the machine itself has against it comes first. */
static const struct smtp_event *
message_end(struct smtp *smtp)
{
	const struct smtp_config *config = smtp->config;
	const char *reply = NULL;

	smtp->receiving = false;
	smtp->messages++;
	if (smtp->data.bad)
		reply = REPLY_BARE;
	else if (config->size_max && smtp->data.size > config->size_max)
		reply = REPLY_SIZE;
	else if (config->limit_hops && smtp->hops.count > config->hops_max)
		reply = REPLY_HOPS;
	smtp->event = (struct smtp_event){0};
	if (!reply)
		return happens(smtp, SMTP_MESSAGE);
	end_transaction(smtp);
	return refuse(smtp, SMTP_DROPPED, reply);
}

static bool
still_wanted(const struct smtp *smtp)
{
	uint64_t max = smtp->config->size_max;

	return !smtp->data.bad && (max == 0 || smtp->data.size <= max);
}

static const struct smtp_event *
content(struct smtp *smtp)
{
	while (!smtp->data.ended && smtp->input_length > 0) {
		const char *piece;
		size_t length, used;

		used = data_decode(&smtp->data, smtp->input, smtp->input_length,
		    &piece, &length);
		smtp->input += used;
		smtp->input_length -= used;
		if (length == 0 || !still_wanted(smtp))
			continue;
		hops_count(&smtp->hops, piece, length);
		smtp->event =
		    (struct smtp_event){.text = piece, .length = length};
		return happens(smtp, SMTP_CONTENT);
	}
	if (smtp->data.ended)
		return message_end(smtp);
	return happens(smtp, SMTP_READ);
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
	if (!reply && smtp->event.kind == SMTP_READ)
		return smtp_next(smtp); /* a challenge is out */
	if (!reply)
		return happens(smtp, smtp->event.kind);
	exchange_end(smtp);
	return refuse(smtp, SMTP_REFUSED, reply);
}

/* The line is a response to a challenge of AUTH. */
static const struct smtp_event *
next_response(struct smtp *smtp)
{
	char *line;
	size_t length;
	const char *reply;

	smtp->event = (struct smtp_event){.line = "AUTH", .line_length = 4};
	switch (line_take(
	    &smtp->line, &smtp->input, &smtp->input_length, &line, &length)) {
	case LINE_NONE:
		return happens(smtp, SMTP_READ);
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
		return refuse(smtp, SMTP_REFUSED, REPLY_NO_MAIL_CLIENT);
	found = line_take(
	    &smtp->line, &smtp->input, &smtp->input_length, &line, &length);
	if (found == LINE_NONE)
		return happens(smtp, SMTP_READ);
	reply = objection(smtp, found, line, length);
	command_split(smtp, line, length);
	if (!reply)
		reply = command_objection(smtp);
	if (reply)
		return refuse(smtp, SMTP_REFUSED, reply);
	if (smtp->event.command->kind == SMTP_LOGIN)
		return exchanged(smtp, exchange_begin(smtp));
	return happens(smtp, smtp->event.command->kind);
}

void
smtp_begin(struct smtp *smtp, const struct smtp_config *config)
{
	smtp->config = config;
	smtp->state = SMTP_STATE_START;
	smtp->event = (struct smtp_event){0};
	smtp->greeted = smtp->opened = smtp->closed = false;
	smtp->pending = smtp->receiving = smtp->utf8 = false;
	smtp->recipients = smtp->messages = smtp->errors = 0;
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

const struct smtp_event *
smtp_next(struct smtp *smtp)
{
	if (smtp->pending)
		answer_by_default(smtp);
	if (smtp->closed)
		return happens(smtp, SMTP_CLOSE);
	if (sizeof smtp->output - smtp->output_length < SMTP_REPLY_MAX)
		return happens(smtp, SMTP_WRITE);
	if (!smtp->greeted) {
		smtp->greeted = true;
		return happens(smtp, SMTP_CONNECT);
	}
	if (smtp->exchange.open)
		return next_response(smtp);
	return smtp->receiving ? content(smtp) : next_line(smtp);
}

bool
smtp_receiving(const struct smtp *smtp)
{
	return smtp->receiving;
}

const char *
smtp_output(const struct smtp *smtp, size_t *length)
{
	*length = smtp->output_length;
	return smtp->output;
}

void
smtp_written(struct smtp *smtp, size_t length)
{
	if (length > smtp->output_length)
		__builtin_trap();
	smtp->output_length -= length;
	memmove(smtp->output, smtp->output + length, smtp->output_length);
}
