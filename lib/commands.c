/* The command table: what the server of smtp.h knows to do. */
#include "commands.h"

#include <string.h>

#include "dsn.h"
#include "ehlo.h"
#include "exchange.h"
#include "receive.h"
#include "smtp.h"
#include "text.h"
#include "xclient.h"

/* The table in force: the program's own, or the one that it copied. */
static const struct smtp_command *
table(const struct smtp *smtp, size_t *count)
{
	bool own = smtp->config->commands;

	*count = own ? smtp->config->command_count : SMTP_COMMANDS;
	return own ? smtp->config->commands : smtp_commands;
}

static const struct smtp_command *
command_named(const struct smtp *smtp, const char *verb, size_t length)
{
	size_t count;
	const struct smtp_command *row = table(smtp, &count);

	for (; count > 0; row++, count--)
		if (text_same(row->verb, strlen(row->verb), verb, length))
			return row;
	return NULL;
}

/* Fills in the event of a line: verb, argument, row. */
void
command_split(struct smtp *smtp, const char *line, size_t length)
{
	struct smtp_event *event = &smtp->event;
	const char *space = memchr(line, ' ', length);
	size_t verb = space ? (size_t)(space - line) : length;
	size_t begin = verb, end = length;

	while (begin < end && line[begin] == ' ')
		begin++;
	while (end > begin && (line[end - 1] == ' ' || line[end - 1] == '\t'))
		end--;
	*event = (struct smtp_event){
	    .line = line,
	    .line_length = length,
	    .argument = line + begin,
	    .argument_length = end - begin,
	    .command = command_named(smtp, line, verb),
	};
}

static bool
fits(const struct smtp *smtp, const struct smtp_command *row, size_t length)
{
	size_t max = SMTP_LINE_MAX - 2;

	if (row)
		max += row->extra;
	if (row && smtp->config->utf8)
		max += row->extra_utf8;
	return length <= max;
}

/* A browser, a scanner: none that mail is to be had from. */
bool
command_is_probe(const char *line, size_t length)
{
	static const char *const verbs[] = {"GET", "POST", "CONNECT"};

	for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
		size_t n = strlen(verbs[i]);

		if (length >= n && text_same(line, n, verbs[i], n) &&
		    (length == n || line[n] == ' '))
			return true;
	}
	return false;
}

/* True if the command is one of the protocol that is spoken. */
static bool
spoken(const struct smtp *smtp, const struct smtp_command *row)
{
	return row->protocol == SMTP_EITHER ||
	       (row->protocol == LMTP_ONLY) == smtp->config->lmtp;
}

/* Syntax and sequence, in that order of the table's columns; the reply where
 * the line is refused. */
const char *
command_objection(struct smtp *smtp)
{
	struct smtp_event *event = &smtp->event;
	const struct smtp_command *row = event->command;

	if (!fits(smtp, row, event->line_length))
		return REPLY_LINE_LENGTH;
	if (smtp->state == SMTP_STATE_REFUSED &&
	    !(row && (row->states & SMTP_STATE_REFUSED)))
		return REPLY_SEQUENCE;
	if (!row)
		return REPLY_UNKNOWN;
	if (!spoken(smtp, row))
		return row->protocol == LMTP_ONLY ? REPLY_NOT_LMTP
						  : REPLY_NOT_SMTP;
	if (row->offered && !row->offered(smtp))
		return row->sequence ? row->sequence : REPLY_NOT_OFFERED;
	if (smtp->config->require_tls && !smtp->secure && !row->plaintext)
		return REPLY_TLS_FIRST;
	if (!(row->states & smtp->state)) {
		if (row->states != 0 && smtp->state == SMTP_STATE_CHUNKS)
			return REPLY_CHUNKS_BEGUN;
		if (row->states != 0 && smtp->state == SMTP_STATE_START)
			return smtp->config->lmtp ? REPLY_LHLO_FIRST
						  : REPLY_HELO_FIRST;
		return row->sequence && !row->offered ? row->sequence
						      : REPLY_SEQUENCE;
	}
	if (row->kind == SMTP_MAIL && smtp->config->require_auth &&
	    !smtp->authenticated)
		return REPLY_LOGIN_FIRST;
	if (text_has_control(event->argument, event->argument_length))
		return REPLY_CONTROL;
	if (row->argument == SMTP_NONE && event->argument_length > 0)
		return REPLY_NO_ARGUMENT;
	if (row->argument == SMTP_REQUIRED && event->argument_length == 0)
		return REPLY_SYNTAX;
	return row->check ? row->check(smtp, event) : NULL;
}

static bool
is_listed(const struct smtp *smtp, const struct smtp_command *row)
{
	return row->syntax && spoken(smtp, row) &&
	       (!row->offered || row->offered(smtp));
}

/* A line has room for what is said before the verbs, and one of them. */
_Static_assert(
    sizeof REPLY_HELP_UNKNOWN + 1 + REPLY_LINE_MAX / 2 <= REPLY_LINE_MAX - 2,
    "say_verbs()");

/* The verbs, as HELP lists them; what does not fit one reply is left out. */
static void
say_verbs(struct smtp *smtp, const char *reply)
{
	size_t count, used = strlen(reply);
	size_t lines = REPLY_MAX / REPLY_LINE_MAX;
	const struct smtp_command *row = table(smtp, &count);
	char line[REPLY_LINE_MAX - 2];

	memcpy(line, reply, used);
	for (; count > 0; row++, count--) {
		size_t n = strlen(row->verb);

		if (!is_listed(smtp, row) || n > REPLY_LINE_MAX / 2)
			continue;
		if (used + 1 + n > sizeof line) {
			if (--lines == 0)
				break;
			line[3] = '-';
			smtp_say(smtp, line, used);
			line[3] = ' ';
			used = strlen(reply);
		}
		line[used++] = ' ';
		memcpy(line + used, row->verb, n);
		used += n;
	}
	smtp_say(smtp, line, used);
}

static void
compose_help(struct smtp *smtp, const struct smtp_event *event)
{
	size_t count;
	const struct smtp_command *row = table(smtp, &count);
	char line[REPLY_LINE_MAX - 2] = REPLY_HELP " ";

	if (event->argument_length == 0) {
		say_verbs(smtp, REPLY_HELP " Commands:");
		return;
	}
	for (; count > 0; row++, count--) {
		if (!is_listed(smtp, row) ||
		    !text_same(row->verb, strlen(row->verb), event->argument,
			event->argument_length))
			continue;
		strncat(line, row->syntax, sizeof line - strlen(line) - 1);
		smtp_say(smtp, line, strlen(line));
		return;
	}
	say_verbs(smtp, REPLY_HELP_UNKNOWN);
}

/* Text behind the name is ignored: some clients send a version there. */
static const char *
check_helo(struct smtp *smtp, struct smtp_event *event)
{
	const char *space =
	    memchr(event->argument, ' ', event->argument_length);

	(void)smtp;
	event->text = event->argument;
	event->length =
	    space ? (size_t)(space - event->argument) : event->argument_length;
	return NULL;
}

/* RFC 3030 3 */
static const char *
check_data(struct smtp *smtp, struct smtp_event *event)
{
	(void)event;
	return smtp->binary ? REPLY_BINARY : NULL;
}

static void
compose_helo(struct smtp *smtp, const struct smtp_event *event)
{
	char line[REPLY_LINE_MAX - 2] = "250 ";

	(void)event;
	strncat(line, smtp->config->hostname, sizeof line - 5);
	smtp_say(smtp, line, strlen(line));
}

/* RFC 5321 4.2: the greeting, to a client and after XCLIENT to another. */
void
compose_greeting(struct smtp *smtp, const struct smtp_event *event)
{
	char line[REPLY_LINE_MAX - 2] = "220 ";

	(void)event;
	strncat(line, smtp->config->hostname, sizeof line - 5 - 6);
	strcat(line, smtp->config->lmtp ? " LMTP" : " ESMTP");
	smtp_say(smtp, line, strlen(line));
}

static bool
xclient_offered(const struct smtp *smtp)
{
	return smtp->config->xclient;
}

static const char *
check_xclient(struct smtp *smtp, struct smtp_event *event)
{
	struct xclient xclient;

	if (!smtp->config->takes_xclient)
		return REPLY_NOT_YOURS;
	if (!xclient_parse(event->argument, event->argument_length, &xclient))
		return REPLY_ATTRIBUTE;
	event->greets = xclient.values[XCLIENT_HELO].state == XCLIENT_SET;
	event->logs_in = xclient.values[XCLIENT_LOGIN].state == XCLIENT_SET;
	return NULL;
}

static bool
starttls_offered(const struct smtp *smtp)
{
	return smtp->config->starttls;
}

/* RFC 3207 4.2; and a login may not be taken from before TLS to behind it. */
static const char *
check_starttls(struct smtp *smtp, struct smtp_event *event)
{
	(void)event;
	return smtp->secure || smtp->authenticated ? REPLY_SEQUENCE : NULL;
}

/* What lengthens MAIL and RCPT: a parameter with its space and its longest
 * value (RFC 1870 3, RFC 6152 2, RFC 3461 4, RFC 4954 3); RFC 6531 3.4
 * lengthens MAIL, VRFY and EXPN by 10. */
#define EXTRA_SIZE 26
#define EXTRA_BODY 17
#define EXTRA_RET (1 + 8)
#define EXTRA_ENVID (1 + 6 + DSN_ENVID_MAX)
#define EXTRA_AUTH DSN_AUTH_MAX
#define EXTRA_NOTIFY (1 + 28)
#define EXTRA_ORCPT (1 + 6 + DSN_ORCPT_MAX)
#define EXTRA_MAIL \
	(EXTRA_SIZE + EXTRA_BODY + EXTRA_RET + EXTRA_ENVID + EXTRA_AUTH)
#define EXTRA_RCPT (EXTRA_NOTIFY + EXTRA_ORCPT)

_Static_assert(SMTP_LINE_MAX + EXTRA_MAIL + 10 <= LINE_MAX_OCTETS, "fits");
_Static_assert(SMTP_LINE_MAX + EXTRA_RCPT <= LINE_MAX_OCTETS, "fits");

const struct smtp_command smtp_commands[SMTP_COMMANDS] = {
    {
	.verb = "HELO",
	.protocol = SMTP_ONLY,
	.states = SMTP_STATE_ANY,
	.plaintext = true,
	.argument = SMTP_REQUIRED,
	.kind = SMTP_HELO,
	.syntax = "HELO hostname",
	.check = check_helo,
	.compose = compose_helo,
    },
    {
	.verb = "EHLO",
	.protocol = SMTP_ONLY,
	.states = SMTP_STATE_ANY,
	.plaintext = true,
	.argument = SMTP_REQUIRED,
	.kind = SMTP_HELO,
	.syntax = "EHLO hostname",
	.check = check_helo,
	.compose = compose_ehlo,
    },
    {
	.verb = "LHLO",
	.protocol = LMTP_ONLY,
	.states = SMTP_STATE_ANY,
	.plaintext = true,
	.argument = SMTP_REQUIRED,
	.kind = SMTP_HELO,
	.syntax = "LHLO hostname",
	.check = check_helo,
	.compose = compose_ehlo,
    },
    {
	.verb = "MAIL",
	.states = SMTP_STATE_READY,
	.argument = SMTP_REQUIRED,
	.kind = SMTP_MAIL,
	.extra = EXTRA_MAIL,
	.extra_utf8 = 10,
	.syntax = "MAIL FROM:<address> [parameters]",
	.sequence = REPLY_NESTED_MAIL,
	.check = check_mail,
	.reply = REPLY_SENDER,
    },
    {
	.verb = "RCPT",
	.states = SMTP_STATE_SENDER | SMTP_STATE_RECIPIENT,
	.argument = SMTP_REQUIRED,
	.kind = SMTP_RCPT,
	.extra = EXTRA_RCPT,
	.syntax = "RCPT TO:<address> [parameters]",
	.sequence = REPLY_MAIL_FIRST,
	.check = check_rcpt,
	.reply = REPLY_RECIPIENT,
    },
    {
	.verb = "DATA",
	.states = SMTP_STATE_RECIPIENT,
	.argument = SMTP_NONE,
	.kind = SMTP_DATA,
	.syntax = "DATA",
	.sequence = REPLY_RCPT_FIRST,
	.check = check_data,
	.reply = REPLY_DATA,
    },
    {
	.verb = "BDAT",
	.states = SMTP_STATE_RECIPIENT | SMTP_STATE_CHUNKS,
	.argument = SMTP_REQUIRED,
	.kind = SMTP_CHUNK,
	.syntax = "BDAT octets [LAST]",
	.sequence = REPLY_RCPT_FIRST,
	.check = check_bdat,
	.reply = REPLY_CHUNK,
    },
    {
	.verb = "RSET",
	.states = SMTP_STATE_ANY,
	.plaintext = true,
	.argument = SMTP_NONE,
	.kind = SMTP_RESET,
	.syntax = "RSET",
	.reply = REPLY_OK,
    },
    {
	.verb = "NOOP",
	.states = SMTP_STATE_ANY,
	.plaintext = true,
	.argument = SMTP_OPTIONAL,
	.kind = SMTP_COMMAND,
	.syntax = "NOOP [text]",
	.reply = REPLY_OK,
    },
    {
	.verb = "QUIT",
	.states = SMTP_STATE_ANY | SMTP_STATE_REFUSED,
	.plaintext = true,
	.argument = SMTP_OPTIONAL,
	.kind = SMTP_QUIT,
	.syntax = "QUIT [text]",
	.reply = REPLY_BYE,
    },
    {
	.verb = "HELP",
	.states = SMTP_STATE_ANY,
	.argument = SMTP_OPTIONAL,
	.kind = SMTP_COMMAND,
	.syntax = "HELP [command]",
	.compose = compose_help,
    },
    {
	.verb = "VRFY",
	.states = SMTP_STATE_ANY,
	.argument = SMTP_REQUIRED,
	.kind = SMTP_COMMAND,
	.extra_utf8 = 10,
	.syntax = "VRFY address",
	.reply = REPLY_VRFY,
    },
    {
	.verb = "EXPN",
	.states = SMTP_STATE_ANY,
	.argument = SMTP_OPTIONAL,
	.kind = SMTP_COMMAND,
	.extra_utf8 = 10,
	.syntax = "EXPN list",
	.reply = REPLY_EXPN,
    },
    {
	.verb = "AUTH",
	.states = SMTP_STATE_READY,
	.argument = SMTP_REQUIRED,
	.kind = SMTP_LOGIN,
	.extra = LINE_MAX_OCTETS - SMTP_LINE_MAX,
	.syntax = "AUTH mechanism [initial-response]",
	.sequence = REPLY_NOT_OFFERED,
	.offered = auth_offered,
	.check = check_auth,
    },
    {
	.verb = "STARTTLS",
	.states = SMTP_STATE_READY,
	.argument = SMTP_NONE,
	.kind = SMTP_STARTTLS,
	.plaintext = true,
	.syntax = "STARTTLS",
	.sequence = REPLY_NOT_OFFERED,
	.offered = starttls_offered,
	.check = check_starttls,
	.reply = REPLY_TLS,
    },
    {
	.verb = "XCLIENT",
	.states = SMTP_STATE_START | SMTP_STATE_READY,
	.argument = SMTP_REQUIRED,
	.kind = SMTP_XCLIENT,
	.syntax = "XCLIENT attribute=value ...",
	.sequence = REPLY_NOT_OFFERED,
	.offered = xclient_offered,
	.check = check_xclient,
	.compose = compose_greeting,
    },
};
