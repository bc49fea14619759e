/* The command table: what the server of smtp.h knows to do. */
#include <string.h>

#include "number.h"
#include "param.h"
#include "smtp.h"
#include "text.h"

/* The verbs, as HELP lists them. */
static void
say_verbs(struct smtp *smtp, const char *reply)
{
	const struct smtp_command *row = smtp->config->commands;
	size_t count = smtp->config->command_count, used = strlen(reply);
	char line[REPLY_LINE_MAX - 2];

	if (!row) {
		row = smtp_commands;
		count = SMTP_COMMANDS;
	}
	memcpy(line, reply, used);
	for (; count > 0; row++, count--) {
		size_t n = strlen(row->verb);

		if (!row->syntax || used + 1 + n > sizeof line)
			continue;
		line[used++] = ' ';
		memcpy(line + used, row->verb, n);
		used += n;
	}
	smtp_say(smtp, line, used);
}

static void
compose_help(struct smtp *smtp, const struct smtp_event *event)
{
	const struct smtp_command *row = smtp->config->commands;
	size_t count = smtp->config->command_count;
	char line[REPLY_LINE_MAX - 2] = REPLY_HELP " ";

	if (event->argument_length == 0) {
		say_verbs(smtp, REPLY_HELP " Commands:");
		return;
	}
	if (!row) {
		row = smtp_commands;
		count = SMTP_COMMANDS;
	}
	for (; count > 0; row++, count--) {
		if (!row->syntax ||
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

static void
compose_helo(struct smtp *smtp, const struct smtp_event *event)
{
	char line[REPLY_LINE_MAX - 2] = "250 ";

	(void)event;
	strncat(line, smtp->config->hostname, sizeof line - 5);
	smtp_say(smtp, line, strlen(line));
}

/* One line of the EHLO reply, with a number behind it where there is one. */
static void
say_keyword(
    struct smtp *smtp, const char *keyword, const uint64_t *number, bool last)
{
	char line[REPLY_LINE_MAX - 2];
	size_t n = strlen(keyword);

	memcpy(line, last ? "250 " : "250-", 4);
	memcpy(line + 4, keyword, n);
	n += 4;
	if (number)
		n += number_format(*number, line + n);
	smtp_say(smtp, line, n);
}

/* RFC 5321 4.1.1.1; the keywords: RFC 2920, 1870, 6152, 2034, 6531, 9422. */
static void
compose_ehlo(struct smtp *smtp, const struct smtp_event *event)
{
	const struct smtp_config *config = smtp->config;
	uint64_t recipients = config->recipients_max;
	char line[REPLY_LINE_MAX - 2] = "250-";

	(void)event;
	strncat(line, config->hostname, sizeof line - 5);
	smtp_say(smtp, line, strlen(line));
	say_keyword(smtp, "PIPELINING", NULL, false);
	say_keyword(smtp, "SIZE ", &config->size_max, false);
	say_keyword(smtp, "8BITMIME", NULL, false);
	say_keyword(smtp, "ENHANCEDSTATUSCODES", NULL, false);
	if (config->utf8)
		say_keyword(smtp, "SMTPUTF8", NULL, false);
	if (recipients)
		say_keyword(smtp, "LIMITS RCPTMAX=", &recipients, false);
	say_keyword(smtp, "HELP", NULL, true);
}

/* RFC 1870 6.1: up to 20 digits. */
static const char *
param_size(
    struct smtp *smtp, struct smtp_event *event, const struct param *param)
{
	uint64_t size = 0, max = smtp->config->size_max;

	(void)event;
	if (!param->value || param->value_length > 20)
		return REPLY_PARAMETER;
	for (size_t i = 0; i < param->value_length; i++)
		if (!text_is_digit(param->value[i]))
			return REPLY_PARAMETER;
	if (max && !number_parse(param->value, param->value_length, max, &size))
		return REPLY_SIZE;
	return NULL;
}

/* RFC 6152 2 */
static const char *
param_body(
    struct smtp *smtp, struct smtp_event *event, const struct param *param)
{
	(void)smtp;
	(void)event;
	if (param->value &&
	    (text_same(param->value, param->value_length, "7BIT", 4) ||
		text_same(param->value, param->value_length, "8BITMIME", 8)))
		return NULL;
	return REPLY_PARAMETER;
}

/* RFC 6531 3.4 */
static const char *
param_utf8(
    struct smtp *smtp, struct smtp_event *event, const struct param *param)
{
	if (!smtp->config->utf8)
		return REPLY_PARAMETER_UNKNOWN;
	if (param->value)
		return REPLY_PARAMETER;
	event->utf8 = true;
	return NULL;
}

static const struct parameter {
	const char *keyword;
	enum smtp_kind of;
	const char *(*check)(struct smtp *smtp, struct smtp_event *event,
	    const struct param *param);
} parameters[] = {
    {"SIZE", SMTP_MAIL, param_size},
    {"BODY", SMTP_MAIL, param_body},
    {"SMTPUTF8", SMTP_MAIL, param_utf8},
};

static const char *
check_param(
    struct smtp *smtp, struct smtp_event *event, const struct param *param)
{
	for (size_t i = 0; i < sizeof parameters / sizeof *parameters; i++)
		if (parameters[i].of == event->command->kind &&
		    param_is(param, parameters[i].keyword))
			return parameters[i].check(smtp, event, param);
	return REPLY_PARAMETER_UNKNOWN;
}

/* The path and the parameters behind "FROM:" or "TO:". */
static const char *
check_path(struct smtp *smtp, struct smtp_event *event, const char *prefix)
{
	bool utf8 = smtp->config->utf8;
	size_t at = strlen(prefix), n;
	const char *text = event->argument;
	size_t length = event->argument_length;
	struct param param;
	enum param_found found;

	if (length < at || !text_same(text, at, prefix, at))
		return REPLY_SYNTAX;
	/* A space here is what many clients send. */
	while (at < length && text[at] == ' ')
		at++;
	n = path_parse(text + at, length - at, utf8, &event->address);
	at += n;
	if (n == 0 || (at < length && text[at] != ' '))
		return REPLY_SYNTAX;
	while (at < length && text[at] == ' ')
		at++;
	event->params = text + at;
	event->params_length = length - at;
	at = 0;
	while ((found = param_next(event->params, event->params_length, utf8,
		    &at, &param)) == PARAM_FOUND) {
		const char *reply = check_param(smtp, event, &param);

		if (reply)
			return reply;
		if (param_repeated(
			event->params, event->params_length, utf8, &param))
			return REPLY_REPEATED;
	}
	return found == PARAM_BAD ? REPLY_SYNTAX : NULL;
}

static const char *
check_mail(struct smtp *smtp, struct smtp_event *event)
{
	size_t messages_max = smtp->config->messages_max;
	const char *reply = check_path(smtp, event, "FROM:");

	if (messages_max && smtp->messages >= messages_max)
		return REPLY_MESSAGES;
	if (!reply && event->address.utf8 && !event->utf8)
		return REPLY_UTF8;
	return reply;
}

static const char *
check_rcpt(struct smtp *smtp, struct smtp_event *event)
{
	size_t recipients_max = smtp->config->recipients_max;
	const char *reply = check_path(smtp, event, "TO:");

	if (!reply && event->address.length == 0)
		return REPLY_SYNTAX;
	if (!reply && event->address.utf8 && !smtp->utf8)
		return REPLY_UTF8;
	if (!reply && recipients_max && smtp->recipients >= recipients_max)
		return REPLY_RECIPIENTS;
	return reply;
}

/* RFC 6152 (BODY: 17) and RFC 1870 (SIZE: 26) lengthen MAIL, RFC 6531 3.4
 * MAIL, VRFY and EXPN by 10. */
const struct smtp_command smtp_commands[SMTP_COMMANDS] = {
    {
	.verb = "HELO",
	.states = SMTP_STATE_ANY,
	.argument = SMTP_REQUIRED,
	.kind = SMTP_HELO,
	.syntax = "HELO hostname",
	.check = check_helo,
	.compose = compose_helo,
    },
    {
	.verb = "EHLO",
	.states = SMTP_STATE_ANY,
	.argument = SMTP_REQUIRED,
	.kind = SMTP_HELO,
	.syntax = "EHLO hostname",
	.check = check_helo,
	.compose = compose_ehlo,
    },
    {
	.verb = "MAIL",
	.states = SMTP_STATE_READY,
	.argument = SMTP_REQUIRED,
	.kind = SMTP_MAIL,
	.extra = 17 + 26,
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
	.reply = REPLY_DATA,
    },
    {
	.verb = "RSET",
	.states = SMTP_STATE_ANY,
	.argument = SMTP_NONE,
	.kind = SMTP_RESET,
	.syntax = "RSET",
	.reply = REPLY_OK,
    },
    {
	.verb = "NOOP",
	.states = SMTP_STATE_ANY,
	.argument = SMTP_OPTIONAL,
	.kind = SMTP_COMMAND,
	.syntax = "NOOP [text]",
	.reply = REPLY_OK,
    },
    {
	.verb = "QUIT",
	.states = SMTP_STATE_ANY,
	.argument = SMTP_OPTIONAL,
	.kind = SMTP_QUIT,
	.syntax = "QUIT",
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
	.argument = SMTP_REQUIRED,
	.kind = SMTP_COMMAND,
	.extra_utf8 = 10,
	.syntax = "EXPN list",
	.reply = REPLY_EXPN,
    },
    {.verb = "LHLO", .sequence = REPLY_NOT_LMTP},
    {.verb = "BDAT", .sequence = REPLY_NOT_OFFERED},
    {.verb = "AUTH", .sequence = REPLY_NOT_OFFERED},
    {.verb = "STARTTLS", .sequence = REPLY_NOT_OFFERED},
    {.verb = "XCLIENT", .sequence = REPLY_NOT_OFFERED},
};
