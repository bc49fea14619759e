/* Rooms: commands
 * With: esmtp exchange ehlo machine receive text data hops
 * Models: address dsn number param sasl base64 utf8 xclient
 * Eva: -eva-slevel-function any_config:0,any_smtp:0,any:0,command_named:0
 * Eva: -eva-slevel-function say_verbs:0,is_listed:0,spoken:0,compose_help:0
 * Eva: -eva-min-loop-unroll 20
 * Limits: REPLY_LINE_MAX=80 REPLY_MAX=512 SMTP_OUTPUT_MAX=740
 * Lines of LENGTH octets and less, of any command, in any state; the table that
 * there is, or one of the caller's. */
#include "commands.h"

#include "ehlo.h"
#include "state.h"

enum { LENGTH = 9, ARGUMENT = 7 };

static struct smtp smtp;
static struct smtp_config config;

static void
any(const char *hostname, const struct smtp_command *rows, size_t count)
{
	any_config(&config, hostname);
	config.commands = rows;
	config.command_count = count;
	any_smtp(&smtp, &config, ROOM);
}

static void
split(size_t length)
{
	const char *line = octets(length);

	any("", NULL, 0);
	command_split(&smtp, line, length);
	if (smtp.event.argument_length > 0)
		(void)smtp.event.argument[smtp.event.argument_length - 1];
	(void)command_is_probe(line, length);
}

static void
judge(const struct smtp_command *row, size_t length)
{
	any("", NULL, 0);
	smtp.event.command = row;
	smtp.event.line_length = any_size(0, LINE_MAX_OCTETS);
	smtp.event.argument = octets(length);
	smtp.event.argument_length = length;
	(void)command_objection(&smtp);
}

/* What a row words itself. */
static void
compose(const struct smtp_command *row, size_t length, const char *hostname,
    const struct smtp_command *rows, size_t count)
{
	any(hostname, rows, count);
	smtp.event.argument = octets(length);
	smtp.event.argument_length = length;
	row->compose(&smtp, &smtp.event);
}

static void
each(const struct smtp_command *row, const struct smtp_command *rows)
{
	judge(row, 0);
	judge(row, ARGUMENT);
	/* Of ehlo.c, where it is proved, too. */
	if (!row->compose || row->compose == compose_ehlo)
		return;
	compose(row, 0, "", NULL, 0);
	compose(row, 4, string(REPLY_LINE_MAX), rows, 2);
}

void
prove(void)
{
	struct smtp_command rows[2] = {
	    {.verb = string(REPLY_LINE_MAX / 2), .kind = SMTP_COMMAND},
	    {.verb = string(4), .kind = SMTP_COMMAND},
	};

	rows[0].syntax = string(REPLY_LINE_MAX);
	rows[1].syntax = string(1);
	//@ loop unroll 99;
	for (size_t length = 0; length <= LENGTH; length += 3)
		split(length);
	judge(NULL, 0);
	//@ loop unroll 99;
	for (size_t i = 0; i < SMTP_COMMANDS; i++)
		each(&smtp_commands[i], rows);
}
