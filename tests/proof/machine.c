/* Rooms: machine
 * With: text
 * Models: receive
 * Eva: -eva-slevel-function any_config:0,any_smtp:0
 * Limits: REPLY_LINE_MAX=64
 * Replies up to a line, in any state. */
#include "machine.h"

#include "receive.h"
#include "state.h"

static struct smtp smtp;
static struct smtp_config config;
static const struct smtp_command row = {.syntax = "BDAT octets [LAST]"};

static void
any(void)
{
	any_config(&config, "");
	any_smtp(&smtp, &config, ROOM);
	smtp.event.kind = any_int(SMTP_READ, SMTP_COMMAND);
}

static void
refuse(enum smtp_kind kind, const char *reply)
{
	any();
	smtp.event.command = any_bool() ? &row : NULL;
	(void)machine_refuse(&smtp, kind, reply);
}

/* At a known place, so that the end of what is shown can be looked at. */
static void
show(size_t at)
{
	const struct smtp_event *event;

	any();
	smtp.output_length = at;
	event = machine_refuse(&smtp, SMTP_REFUSED, REPLY_UNKNOWN);
	(void)event->reply[event->reply_length - 1];
}

static void
put(size_t length)
{
	size_t start;

	any();
	start = smtp.output_length;
	machine_put(&smtp, octets(length), length);
	smtp_say(&smtp, octets(length), length);
	machine_said(&smtp, start);
	machine_end_transaction(&smtp);
}

/* All that is there, and part of it. */
static void
write(void)
{
	size_t length;

	any();
	(void)smtp_output(&smtp, &length);
	smtp_written(&smtp, 0);
	any();
	smtp.output_length = 9;
	smtp.held = 3;
	(void)smtp_output(&smtp, &length);
	(void)smtp.output[length - 1];
	smtp_written(&smtp, any_size(0, length));
}

void
prove(void)
{
	refuse(SMTP_REFUSED, REPLY_SYNTAX);
	refuse(SMTP_REFUSED, REPLY_ERRORS);
	refuse(SMTP_DROPPED, REPLY_SIZE);
	refuse(SMTP_DROPPED, string(REPLY_LINE_MAX - 2));
	show(0);
	show(SMTP_OUTPUT_MAX - ROOM);
	put(0);
	put(REPLY_LINE_MAX - 2);
	write();
}
