/* The room commands: a line is of any row, or of none, and there is something
 * against it, or nothing; what the rows word is as it is. */
#include "commands.h"

#include "exchange.h"
#include "prove.h"
#include "receive.h"

#define command_split command_split_itself
#define command_objection command_objection_itself
#define command_is_probe command_is_probe_itself
#include <commands.c>
#undef command_split
#undef command_objection
#undef command_is_probe

void command_split(struct smtp *smtp, const char *line, size_t length);
const char *command_objection(struct smtp *smtp);
bool command_is_probe(const char *line, size_t length);

bool
command_is_probe(const char *line, size_t length)
{
	for (size_t i = 0; i < length; i++)
		(void)line[i];
	return any_bool();
}

void
command_split(struct smtp *smtp, const char *line, size_t length)
{
	const struct smtp_command *row = NULL;

	(void)command_is_probe(line, length);
	//@ loop unroll 99;
	for (size_t i = 0; i < SMTP_COMMANDS; i++)
		if (any_bool()) {
			row = &smtp_commands[i];
			break;
		}
	smtp->event = (struct smtp_event){
	    .line = line,
	    .line_length = length,
	    .argument = line,
	    .argument_length = length,
	    .command = row,
	};
}

/* Whatever was found, it is a line. For BDAT and AUTH what their checks leave
 * is what they leave. */
const char *
command_objection(struct smtp *smtp)
{
	struct smtp_event *event = &smtp->event;

	if (!event->command)
		return REPLY_UNKNOWN;
	if (any_bool())
		return REPLY_SYNTAX;
	if (event->command->kind == SMTP_LOGIN)
		return check_auth(smtp, event);
	if (event->command->kind == SMTP_CHUNK)
		return check_bdat(smtp, event);
	event->utf8 = Frama_C_interval(0, 1) != 0;
	event->binary = Frama_C_interval(0, 1) != 0;
	event->greets = Frama_C_interval(0, 1) != 0;
	event->logs_in = Frama_C_interval(0, 1) != 0;
	return NULL;
}
