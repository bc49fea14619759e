/* What tests/cost.bats counts the instructions of.
 *
 *	cost lf|crlf|dots     data_decode() of 1 MiB of content, 76 octets a
 *	                      line: line ends out as LF, as CRLF, or as LF
 *	                      where each line begins with a dot
 *	cost session          session(): one message of 4 KiB through the
 *	                      machine, from the greeting to 221
 *
 * Content comes as much at once as the dialogue reads. What has come out is
 * counted and printed, so that it cannot be nothing.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data.h"
#include "smtp.h"

enum { CONTENT = 1 << 20, MESSAGE = 4096, LINE = 76, AT_ONCE = 64 * 1024 };

void session(char *message, size_t length);

static char content[CONTENT];

/* Fills text with whole lines, their CRLF included; the last may be longer. */
static void
fill(char *text, size_t size, const char *begin)
{
	memset(text, 'x', size);
	for (size_t at = 0; size - at >= LINE + 2; at += LINE + 2) {
		memcpy(text + at, begin, strlen(begin));
		memcpy(text + at + LINE, "\r\n", 2);
	}
	memcpy(text + size - 2, "\r\n", 2);
}

static size_t
decode(bool crlf)
{
	struct data data = {.crlf = crlf};
	size_t out = 0;

	for (size_t at = 0; at < CONTENT;) {
		const char *piece;
		size_t room = AT_ONCE - at % AT_ONCE, length;

		at += data_decode(&data, content + at, room, &piece, &length);
		out += length;
	}
	if (data.bad || data.ended)
		abort();
	return out;
}

static struct smtp smtp;
static size_t received, messages, said;

/* Until there is nothing more to read, as a server does it. */
static void
answer(void)
{
	for (;;) {
		const struct smtp_event *event = smtp_next(&smtp);
		size_t length;

		switch (event->kind) {
		case SMTP_CONTENT:
			received += event->length;
			break;
		case SMTP_MESSAGE:
			messages++;
			smtp_reply(&smtp, REPLY_OK, strlen(REPLY_OK));
			break;
		case SMTP_REFUSED:
		case SMTP_DROPPED:
			abort();
		case SMTP_READ:
		case SMTP_WRITE:
		case SMTP_CLOSE:
			(void)smtp_output(&smtp, &length);
			smtp_written(&smtp, length);
			said += length;
			if (event->kind != SMTP_WRITE)
				return;
			break;
		default:
			break;
		}
	}
}

/* Step by step: the client waits for each reply. */
void
session(char *message, size_t length)
{
	static const struct smtp_config config = {
	    .hostname = "mx.example.org",
	    .size_max = 33554432,
	    .recipients_max = 1000,
	    .errors_max = 20,
	    .hops_max = 100,
	    .limit_hops = true,
	};
	static char lines[][64] = {"EHLO client.example.org\r\n",
	    "MAIL FROM:<ann@example.com>\r\n", "RCPT TO:<bob@example.org>\r\n",
	    "DATA\r\n"};
	static char quit[] = "QUIT\r\n";

	smtp_begin(&smtp, &config);
	answer();
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		smtp_input(&smtp, lines[i], strlen(lines[i]));
		answer();
	}
	smtp_input(&smtp, message, length);
	answer();
	smtp_input(&smtp, quit, strlen(quit));
	answer();
}

int
main(int argc, char **argv)
{
	const char *what = argc == 2 ? argv[1] : "";

	if (strcmp(what, "session") == 0) {
		fill(content, MESSAGE, "Subject: ");
		memcpy(content + MESSAGE, ".\r\n", 3);
		session(content, MESSAGE + 3);
		if (messages != 1 || smtp_next(&smtp)->kind != SMTP_CLOSE)
			abort();
		printf("%zu octets, %zu said\n", received, said);
	} else if (strcmp(what, "dots") == 0) {
		fill(content, CONTENT, "..");
		printf("%zu octets\n", decode(false));
	} else if (strcmp(what, "lf") == 0 || strcmp(what, "crlf") == 0) {
		fill(content, CONTENT, "");
		printf("%zu octets\n", decode(strcmp(what, "crlf") == 0));
	} else {
		fputs("usage: cost lf|crlf|dots|session\n", stderr);
		return 2;
	}
	return 0;
}
