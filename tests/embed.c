/* What a program that embeds libsmtpd looks like: one session on standard input
 * and output, messages thrown away. tests/library.bats builds it against the
 * installed library, and counts the lines of what it adds. */
#include <smtp.h>
#include <string.h>
#include <unistd.h>

/* PING begins */
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
    .syntax = "PING [text]",
    .check = check_ping,
    .reply = "250 2.0.0 PONG",
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
		if (write(STDOUT_FILENO, output, length) != (ssize_t)length)
			return 1;
		smtp_written(&smtp, length);
		if (kind == SMTP_CLOSE)
			return 0;
		if (kind == SMTP_WRITE)
			continue;
		n = read(STDIN_FILENO, input, sizeof input);
		if (n <= 0)
			return 0;
		smtp_input(&smtp, input, (size_t)n);
	}
}
