/* Paths and ESMTP parameters of MAIL and RCPT. */
#include <string.h>

#include "commands.h"
#include "dsn.h"
#include "number.h"
#include "param.h"
#include "text.h"

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

/* RFC 6152 2, RFC 3030 3 */
static const char *
param_body(
    struct smtp *smtp, struct smtp_event *event, const struct param *param)
{
	event->binary =
	    smtp->config->crlf && param->value &&
	    text_same(param->value, param->value_length, "BINARYMIME", 10);
	if (event->binary)
		return NULL;
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

/* RFC 3461 4.3, 4.4, 4.1, 4.2 */
static const char *
param_ret(
    struct smtp *smtp, struct smtp_event *event, const struct param *param)
{
	(void)smtp;
	(void)event;
	return param->value && dsn_ret(param->value, param->value_length)
		   ? NULL
		   : REPLY_PARAMETER;
}

static const char *
param_envid(
    struct smtp *smtp, struct smtp_event *event, const struct param *param)
{
	(void)smtp;
	(void)event;
	return param->value && dsn_envid(param->value, param->value_length)
		   ? NULL
		   : REPLY_PARAMETER;
}

static const char *
param_notify(
    struct smtp *smtp, struct smtp_event *event, const struct param *param)
{
	(void)smtp;
	(void)event;
	return param->value && dsn_notify(param->value, param->value_length)
		   ? NULL
		   : REPLY_PARAMETER;
}

static const char *
param_orcpt(
    struct smtp *smtp, struct smtp_event *event, const struct param *param)
{
	(void)event;
	return param->value &&
		       dsn_orcpt(param->value, param->value_length, smtp->utf8)
		   ? NULL
		   : REPLY_PARAMETER;
}

/* RFC 4954 5: taken from anyone, believed from nobody. */
static const char *
param_auth(
    struct smtp *smtp, struct smtp_event *event, const struct param *param)
{
	(void)event;
	return param->value && dsn_auth(param->value, param->value_length,
				   smtp->config->utf8)
		   ? NULL
		   : REPLY_PARAMETER;
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
    {"RET", SMTP_MAIL, param_ret},
    {"ENVID", SMTP_MAIL, param_envid},
    {"AUTH", SMTP_MAIL, param_auth},
    {"NOTIFY", SMTP_RCPT, param_notify},
    {"ORCPT", SMTP_RCPT, param_orcpt},
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

const char *
check_mail(struct smtp *smtp, struct smtp_event *event)
{
	size_t messages_max = smtp->config->messages_max;
	const char *reply = check_path(smtp, event, "FROM:");

	if (messages_max && smtp->messages >= messages_max)
		return REPLY_MESSAGES;
	if (!reply && event->address.utf8 && !event->utf8)
		return REPLY_UTF8;
	/* SMTPUTF8 may stand behind what needs it. */
	if (!reply && !event->utf8 &&
	    !text_is_ascii(event->params, event->params_length))
		return REPLY_PARAMETER;
	return reply;
}

const char *
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
