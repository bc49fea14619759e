/* A server with a new command and another HELP, on standard input and output;
 * it throws messages away. tests/library.bats builds it, and counts lines. */
#include <smtp.h>
#include <string.h>
#include <unistd.h>

/* PING begins; "PING [ignored]" is aiosmtpd's example */
static const char *
check_ping(struct smtp *smtp, struct smtp_event *event)
{
	(void)smtp;
	return event->argument_length > 8 ? REPLY_SYNTAX : NULL;
}

static const struct smtp_command ping = {
    .verb = "PING",
    .states = SMTP_STATE_ANY,
    .argument = SMTP_OPTIONAL,
    .kind = SMTP_COMMAND,
    .syntax = "PING [ignored]",
    .check = check_ping,
    .reply = "259 2.0.0 Pong",
};
/* PING ends */

/* HELP begins */
static void
compose_help(struct smtp *smtp, const struct smtp_event *event)
{
	static const char first[] = "214-2.0.0 Read the manual";
	static const char last[] = "214 2.0.0 and ask again";

	(void)event;
	smtp_say(smtp, first, strlen(first));
	smtp_say(smtp, last, strlen(last));
}
/* HELP ends */

int
main(void)
{
	static struct smtp_command commands[SMTP_COMMANDS + 1];
	static const struct smtp_config config = {
	    .hostname = "embed.example",
	    .commands = commands,
	    .command_count = SMTP_COMMANDS + 1,
	};
	static struct smtp smtp;
	static char input[4096];
	size_t length;
	ssize_t n;

	memcpy(commands, smtp_commands, sizeof smtp_commands);
	commands[SMTP_COMMANDS] = ping;
	for (size_t i = 0; i < SMTP_COMMANDS; i++)
		if (strcmp(commands[i].verb, "HELP") == 0)
			commands[i].compose = compose_help;
	smtp_begin(&smtp, &config);
	for (;;) {
		const struct smtp_event *event = smtp_next(&smtp);
		enum smtp_kind kind = event->kind;

		if (kind == SMTP_MESSAGE)
			smtp_reply(&smtp, REPLY_OK, strlen(REPLY_OK));
		if (kind > SMTP_CLOSE)
			continue;
		const char *output = smtp_output(&smtp, &length);
		n = write(STDOUT_FILENO, output, length);
		if (n < 0)
			return 1;
		smtp_written(&smtp, (size_t)n);
		if ((size_t)n < length || kind == SMTP_WRITE)
			continue; /* the same is said again */
		if (kind == SMTP_CLOSE ||
		    (n = read(STDIN_FILENO, input, sizeof input)) <= 0)
			return 0;
		smtp_input(&smtp, input, (size_t)n);
	}
}
