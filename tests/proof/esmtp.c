/* Rooms: esmtp
 * With: text
 * Models: address dsn number param utf8
 * Eva: -eva-slevel-function any_config:0,any_smtp:0,check_param:0,param_size:0
 * Eva: -eva-slevel-function param_body:0 -eva-auto-loop-unroll 20
 * Arguments up to LENGTH octets in any state. */
#include <string.h>

#include "commands.h"
#include "state.h"

enum { LENGTH = 10 };

static struct smtp smtp;
static struct smtp_config config;

static void
once(size_t length, enum smtp_kind kind,
    const char *(*check)(struct smtp *smtp, struct smtp_event *event))
{
	const struct smtp_command row = {.kind = kind};
	struct smtp_event *event = &smtp.event;

	any_config(&config, "");
	any_smtp(&smtp, &config, ROOM);
	event->command = &row;
	event->argument = octets(length);
	event->argument_length = length;
	if (!check(&smtp, event) && event->params_length > 0)
		(void)event->params[event->params_length - 1];
	event->command = NULL;
}

void
prove(void)
{
	once(4, SMTP_MAIL, check_mail);
	once(5, SMTP_MAIL, check_mail);
	once(LENGTH, SMTP_MAIL, check_mail);
	once(2, SMTP_RCPT, check_rcpt);
	once(3, SMTP_RCPT, check_rcpt);
	once(LENGTH - 2, SMTP_RCPT, check_rcpt);
}
