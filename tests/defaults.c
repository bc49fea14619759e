/* What the machine says where the caller has no answer: a line for each event,
 * its kind's number and the code. The caller answers nothing but the first
 * challenge. With a number: one of the errors that smtp(3) says are a trap.
 * With two: smtp_end() behind replies as long as may be, below.
 * tests/library.bats builds it against the installed library. */
#include <smtp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const lines[] = {"LHLO x\r\n", "XCLIENT NAME=x\r\n",
    "LHLO x\r\n", "AUTH OTHER\r\n", "YQ==\r\n", "AUTH OTHER\r\n",
    "AUTH PLAIN AGFubgA=\r\n", "MAIL FROM:<a@b>\r\n", "RCPT TO:<c@d>\r\n",
    "RCPT TO:<e@f>\r\n", "DATA\r\n", ".\r\n", "NOOP\r\n", "RSET\r\n",
    "MAIL FROM:<a@b>\r\n", "RCPT TO:<c@d>\r\n", "BDAT 1\r\n", "a", "RSET\r\n",
    "STARTTLS\r\n", "QUIT\r\n"};
static const char *const mechanisms[] = {"OTHER"};
static const struct smtp_config config = {
    .hostname = "x",
    .lmtp = true,
    .starttls = true,
    .auth = true,
    .auth_plaintext = true,
    .mechanisms = mechanisms,
    .mechanism_count = 1,
    .xclient = true,
    .takes_xclient = true,
};
static struct smtp smtp;
static char text[SMTP_REPLY_MAX + 1];

static void
misuse(int number)
{
	char noop[] = "NOOP\r\n";

	(void)smtp_next(&smtp); /* SMTP_CONNECT */
	if (number == 1)
		smtp_challenge(&smtp, "", 0);
	if (number == 2)
		(void)smtp_default(&smtp, text, SMTP_REPLY_MAX - 1);
	(void)smtp_next(&smtp); /* SMTP_READ */
	if (number == 3)
		smtp_reply(&smtp, "250 x", 5);
	if (number == 4)
		(void)smtp_default(&smtp, text, sizeof text);
	if (number == 5)
		smtp_written(&smtp, 10000);
	smtp_input(&smtp, noop, strlen(noop));
	if (number == 6)
		smtp_input(&smtp, noop, strlen(noop));
}

static size_t pad;

static void
say_octets(size_t octets)
{
	static char line[SMTP_OUTPUT_MAX];

	memset(line, 'x', sizeof line);
	memcpy(line, "250 ", 4);
	smtp_say(&smtp, line, octets - 2);
}

static void
compose_pad(struct smtp *machine, const struct smtp_event *event)
{
	(void)machine, (void)event;
	say_octets(pad);
}

static void
compose_full(struct smtp *machine, const struct smtp_event *event)
{
	(void)machine, (void)event;
	say_octets(SMTP_REPLY_MAX);
}

/* Two replies, of octets and of SMTP_REPLY_MAX; at SMTP_WRITE the session is
 * ended with a line of end octets. Prints what waits before and behind. */
static void
end_when_full(size_t octets, size_t end)
{
	static const struct smtp_command commands[] = {
	    {.verb = "PAD",
		.states = SMTP_STATE_ANY,
		.kind = SMTP_COMMAND,
		.compose = compose_pad},
	    {.verb = "FULL",
		.states = SMTP_STATE_ANY,
		.kind = SMTP_COMMAND,
		.compose = compose_full},
	};
	const struct smtp_config full = {
	    .hostname = "x", .commands = commands, .command_count = 2};
	static char reply[SMTP_OUTPUT_MAX], lines[] = "PAD\r\nFULL\r\nPAD\r\n";
	size_t before, length;

	pad = octets;
	memset(reply, 'x', end - 2);
	memcpy(reply, "421 ", 4);
	smtp_begin(&smtp, &full);
	while (smtp_next(&smtp)->kind != SMTP_READ)
		;
	(void)smtp_output(&smtp, &length);
	smtp_written(&smtp, length);
	smtp_input(&smtp, lines, strlen(lines));
	while (smtp_next(&smtp)->kind != SMTP_WRITE)
		;
	(void)smtp_output(&smtp, &before);
	smtp_end(&smtp, reply);
	(void)smtp_output(&smtp, &length);
	printf("%zu %zu %d\n", before, length - before,
	    smtp_next(&smtp)->kind == SMTP_CLOSE);
}

static void
answer(const struct smtp_event *event)
{
	static bool asked;
	size_t length;
	bool chunk = event->kind == SMTP_DATA &&
		     strcmp(event->command->verb, "BDAT") == 0;

	if (event->kind == SMTP_CHALLENGE && !asked) {
		asked = true;
		smtp_challenge(&smtp, "YQ==", 4);
		return;
	}
	length = smtp_default(&smtp, text, sizeof text);
	text[length] = '\0';
	printf("%d %.3s%s\n", (int)event->kind, text, chunk ? " chunk" : "");
	if (chunk) /* that is not said yet */
		text[0] = '\0';
}

int
main(int argc, char **argv)
{
	size_t next = 0, length;
	char line[64];

	memset(&smtp, 0xA5, sizeof smtp); /* whatever it held before */
	smtp_begin(&smtp, &config);
	if (argc > 2) {
		end_when_full(
		    strtoul(argv[1], NULL, 10), strtoul(argv[2], NULL, 10));
		return 0;
	}
	if (argc > 1) {
		misuse(atoi(argv[1]));
		return 0;
	}
	for (;;) {
		const struct smtp_event *event = smtp_next(&smtp);
		const char *output = smtp_output(&smtp, &length);

		/* smtp_default() has told what is said now. */
		if (length < strlen(text) ||
		    memcmp(output, text, strlen(text)) != 0)
			return 1;
		text[0] = '\0';
		smtp_written(&smtp, length);
		if (event->kind >= SMTP_CONNECT)
			answer(event);
		if (event->kind == SMTP_CLOSE)
			return next == sizeof lines / sizeof *lines ? 0 : 2;
		if (event->kind != SMTP_READ)
			continue;
		if (next == sizeof lines / sizeof *lines)
			return 3;
		strcpy(line, lines[next++]);
		smtp_input(&smtp, line, strlen(line));
	}
}
