/* A sink in one process: COMMAND has one end of a socket pair as descriptors 6
 * and 7, as UCSPI clients do; this process serves the other, takes all mail and
 * prints a line a message. LMTP: -l COMMAND. Built by tests/library.bats. */
#include <smtp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static struct smtp smtp;
static char envelope[65536]; /* sender and recipients, a space before each */
static size_t length, octets, messages;
static bool kept;

static void
take(const struct smtp_event *event)
{
	if (event->kind == SMTP_MAIL) /* the last was kept, or is none */
		length = octets = 0;
	if (event->kind == SMTP_MAIL || event->kind == SMTP_RCPT) {
		const struct address *a = &event->address;
		if (a->length + 4 > sizeof envelope - length)
			smtp_reply(
			    &smtp, REPLY_RECIPIENTS, strlen(REPLY_RECIPIENTS));
		else /* and no answer: it is granted */
			length += (size_t)sprintf(envelope + length, " <%.*s>",
			    (int)a->length, a->text);
	}
	octets += event->kind == SMTP_CONTENT ? event->length : 0;
	if (event->kind == SMTP_MESSAGE) { /* 250 is a promise: this is first */
		printf("%zu%s %zu\n", ++messages, envelope, octets);
		kept = fflush(stdout) == 0;
	}
	/* Where it was not kept there is no answer: 451. */
	if (kept && event->kind >= SMTP_MESSAGE && event->kind <= SMTP_VERDICT)
		smtp_reply(&smtp, REPLY_OK, strlen(REPLY_OK));
}

int
main(int argc, char **argv)
{
	struct smtp_config config = {.hostname = "sink.example", .utf8 = true};
	static char input[4096];
	int pair[2], status;
	ssize_t n = 1;

	config.lmtp = argc > 2 && strcmp(argv[1], "-l") == 0;
	argv += 1 + config.lmtp;
	if (argc < 2 || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
		return 111;
	if (fork() == 0) {
		if (close(pair[0]) == 0 && dup2(pair[1], 6) == 6 &&
		    dup2(pair[1], 7) == 7)
			(void)execvp(*argv, argv);
		_exit(111);
	}
	(void)close(pair[1]);
	smtp_begin(&smtp, &config);
	while (n > 0) {
		const struct smtp_event *event = smtp_next(&smtp);
		enum smtp_kind kind = event->kind;
		size_t waiting;
		const char *output = smtp_output(&smtp, &waiting);

		if (kind > SMTP_CLOSE) {
			take(event);
		} else if (waiting > 0) { /* then the same is said again */
			n = send(pair[0], output, waiting, MSG_NOSIGNAL);
			smtp_written(&smtp, n > 0 ? (size_t)n : 0);
		} else if (kind == SMTP_CLOSE) {
			break;
		} else if ((n = read(pair[0], input, sizeof input)) > 0) {
			smtp_input(&smtp, input, (size_t)n);
		}
	}
	(void)close(pair[0]);
	return wait(&status) > 0 && status == 0 ? 0 : 1;
}
