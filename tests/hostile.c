/* smtpd whose dialogue is hostile: it tells the agent what a script says, from
 * descriptor 0, up to a line ".", instead of what a client does.
 *
 *	hostile [options] [--] [command ...] <script
 *
 * Everything but the dialogue is smtpd's own. A line of the script is a record:
 * its name in record.h, its number, first and second, with tabs between and
 * %XX for octets; what is missing is 0 or empty. Records go out together, as
 * many as fit, up to one of these lines:
 *
 *	?		and a reply is waited for, and printed: its number,
 *			what it says
 *	HANG		and it says nothing more, but does not end
 *	CHATTER		it says more, five times a second, and does not end
 *	FILL text	the text is put into the first window
 */
#include "dialogue.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "record.h"
#include "spool.h"

/* Milliseconds that an answer may take. */
#define PATIENCE 10000

static const char *const names[] = {
    [RECORD_HELO] = "HELO",
    [RECORD_MAIL] = "MAIL",
    [RECORD_RCPT] = "RCPT",
    [RECORD_RESET] = "RESET",
    [RECORD_VOID] = "VOID",
    [RECORD_CONTENT] = "CONTENT",
    [RECORD_MESSAGE] = "MESSAGE",
    [RECORD_VERDICT] = "VERDICT",
    [RECORD_DROPPED] = "DROPPED",
    [RECORD_HOOK] = "HOOK",
    [RECORD_TEXT] = "TEXT",
    [RECORD_STEP] = "STEP",
    [RECORD_STARTTLS] = "STARTTLS",
    [RECORD_LOGIN] = "LOGIN",
    [RECORD_CHALLENGE] = "CHALLENGE",
    [RECORD_RESPONSE] = "RESPONSE",
    [RECORD_CANCEL] = "CANCEL",
    [RECORD_PROXY] = "PROXY",
    [RECORD_XCLIENT] = "XCLIENT",
    [RECORD_REFUSED] = "REFUSED",
    [RECORD_SAID] = "SAID",
    [RECORD_EXPOSED] = "EXPOSED",
    [RECORD_END] = "END",
    [RECORD_WINDOW] = "WINDOW",
    [RECORD_REPLY] = "REPLY",
};

static int channel;
static struct packet packet;

static _Noreturn void
fail(const char *what)
{
	(void)dprintf(STDOUT_FILENO, "script: %s\n", what);
	_exit(1);
}

static void
send_packet(void)
{
	if (packet.length > 0 &&
	    send(channel, packet.octets, packet.length, MSG_NOSIGNAL) < 0)
		_exit(0); /* the agent has had enough */
	packet.length = 0;
}

/* Prints the next reply; windows that come back are none. */
static void
await_reply(void)
{
	static char octets[RECORD_PACKET_MAX];
	struct pollfd polled = {.fd = channel, .events = POLLIN};
	struct record record = {0};
	size_t at;
	ssize_t n;

	while (record.type != RECORD_REPLY) {
		if (poll(&polled, 1, PATIENCE) != 1)
			fail("no answer");
		n = recv(channel, octets, sizeof octets, 0);
		if (n <= 0)
			_exit(0);
		at = 0;
		if (packet_next(octets, (size_t)n, &at, &record) != 1)
			fail("no record");
	}
	(void)dprintf(STDOUT_FILENO, "%llu %.*s\n",
	    (unsigned long long)record.number, (int)record.first_length,
	    record.first);
}

/* Decodes %XX in place; the octets. */
static size_t
decode(char *text)
{
	char *out = text;

	for (char *at = text; *at; at++) {
		char hex[3] = {0};

		if (*at != '%') {
			*out++ = *at;
			continue;
		}
		memcpy(hex, at + 1, 2);
		*out++ = (char)strtoul(hex, NULL, 16);
		at += 2;
	}
	return (size_t)(out - text);
}

static void
add_record(char *line)
{
	char *field[4];
	char empty[1] = "";
	struct record record = {0};

	for (int i = 0; i < 4; i++) {
		field[i] = line ? line : empty;
		line = strchr(field[i], '\t');
		if (line)
			*line++ = '\0';
	}
	for (size_t i = 1; i < sizeof names / sizeof *names; i++)
		if (strcmp(names[i], field[0]) == 0)
			record.type = (enum record_type)i;
	if (!record.type)
		fail(field[0]);
	record.number = strtoull(field[1], NULL, 10);
	record.first = field[2];
	record.first_length = decode(field[2]);
	record.second = field[3];
	record.second_length = decode(field[3]);
	if (!packet_add(&packet, &record)) {
		send_packet();
		if (!packet_add(&packet, &record))
			fail("a record that is too long");
	}
}

static _Noreturn void
chatter(void)
{
	char reset[] = "RESET";

	for (;;) {
		add_record(reset);
		send_packet();
		(void)poll(NULL, 0, 200);
	}
}

_Noreturn void
dialogue_run(const struct dialogue_start *start)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t n;

	channel = start->channel;
	while ((n = getline(&line, &size, stdin)) > 0) {
		if (line[n - 1] == '\n')
			line[n - 1] = '\0';
		if (strcmp(line, ".") == 0)
			break;
		if (strcmp(line, "?") == 0) {
			send_packet();
			await_reply();
		} else if (strcmp(line, "HANG") == 0) {
			send_packet();
			for (;;)
				(void)pause();
		} else if (strcmp(line, "CHATTER") == 0) {
			chatter();
		} else if (strncmp(line, "FILL ", 5) == 0) {
			(void)snprintf(
			    start->windows, SPOOL_WINDOW, "%s", line + 5);
		} else {
			add_record(line);
		}
	}
	send_packet();
	_exit(0);
}
