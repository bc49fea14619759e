/* For make bench, what Postfix's smtp-source does not measure, at a port of
 * 127.0.0.1:
 *
 *	load message PORT OCTETS RECIPIENTS COUNT
 *	load greeting PORT COUNT
 *
 * message: COUNT messages behind one another on one connection, each with its
 * envelope and DATA in one write. greeting: COUNT connections behind one
 * another. Prints the median in seconds: from MAIL to the reply to the message;
 * from connect(2) to the greeting. The connection of message is ended when
 *standard input is. Each 50th line of a message has a dot doubled. Anything but
 *success is exit status 1. */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

enum {
	LINE = 78,
	LINES = 12800, /* a write: 975 KiB */
	RECIPIENTS_MAX = 1000,
	SECONDS_MAX = 60,
};

static char lines[LINES * LINE + 1];

/* What has arrived and was not looked at. */
static struct {
	char octets[65536];
	size_t length;
} replies;

static void
fail(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

static double
now(void)
{
	struct timespec time;

	(void)clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static int
dial(int port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
	    .sin_port = htons((in_port_t)port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct timeval patience = {.tv_sec = SECONDS_MAX};
	int server = socket(AF_INET, SOCK_STREAM, 0);

	if (setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &(int){1},
		sizeof(int)) != 0 ||
	    setsockopt(server, SOL_SOCKET, SO_RCVTIMEO, &patience,
		sizeof patience) != 0 ||
	    setsockopt(server, SOL_SOCKET, SO_SNDTIMEO, &patience,
		sizeof patience) != 0 ||
	    connect(server, (struct sockaddr *)&address, sizeof address) != 0)
		fail("load: connect");
	replies.length = 0;
	return server;
}

/* The length of the first reply, all its lines, or 0: it is not all there. */
static size_t
whole_reply(void)
{
	char *line = replies.octets, *end = line + replies.length, *next;

	while ((next = memchr(line, '\n', (size_t)(end - line)))) {
		if (next - line > 3 && line[3] != '-')
			return (size_t)(next + 1 - replies.octets);
		line = next + 1;
	}
	return 0;
}

/* Reads one reply, which is to begin with this digit. */
static void
expect(int server, char digit)
{
	size_t length;

	while ((length = whole_reply()) == 0) {
		ssize_t n = read(server, replies.octets + replies.length,
		    sizeof replies.octets - replies.length);

		if (n <= 0)
			fail("load: no reply");
		replies.length += (size_t)n;
	}
	if (replies.octets[0] != digit) {
		(void)fprintf(
		    stderr, "load: %.*s", (int)length, replies.octets);
		exit(EXIT_FAILURE);
	}
	replies.length -= length;
	memmove(replies.octets, replies.octets + length, replies.length);
}

static void
say(int server, const char *text, size_t length)
{
	if (write(server, text, length) != (ssize_t)length)
		fail("load: write");
}

/* As a client ends, but no port is left waiting. */
static void
quit(int server)
{
	struct linger none = {.l_onoff = 1};
	char octets[512];

	say(server, "QUIT\r\n", 6);
	while (read(server, octets, sizeof octets) > 0)
		continue;
	(void)setsockopt(server, SOL_SOCKET, SO_LINGER, &none, sizeof none);
	(void)close(server);
}

static void
make_lines(void)
{
	for (int line = 0; line < LINES; line++) {
		char *at = lines + line * LINE;

		for (int i = 0; i < LINE - 2; i++)
			at[i] = (char)('A' + (i * 7 + line) % 58);
		memcpy(at, line % 50 == 49 ? ".." : "xx", 2);
		memcpy(at + LINE - 2, "\r\n", 2);
	}
}

static void
send_content(int server, size_t octets)
{
	static char header[] =
	    "From: <a@example.org>\r\nSubject: bench\r\n\r\n";
	size_t left = octets / LINE;
	struct iovec parts[3] = {{header, sizeof header - 1}};

	do {
		size_t some = left < LINES ? left : LINES;
		ssize_t total;

		left -= some;
		parts[1] = (struct iovec){lines, some * LINE};
		parts[2] = (struct iovec){".\r\n", left > 0 ? 0 : 3};
		total = (ssize_t)(parts[0].iov_len + parts[1].iov_len +
				  parts[2].iov_len);
		if (writev(server, parts, 3) != total)
			fail("load: write");
		parts[0].iov_len = 0;
	} while (left > 0);
}

/* MAIL, RCPT, DATA; its length. */
static size_t
make_envelope(char *text, size_t size, int recipients)
{
	int at = snprintf(text, size, "MAIL FROM:<a@example.org>\r\n");

	for (int i = 0; i < recipients; i++)
		at += snprintf(text + at, size - (size_t)at,
		    "RCPT TO:<b%d@example.org>\r\n", i);
	at += snprintf(text + at, size - (size_t)at, "DATA\r\n");
	return (size_t)at;
}

static int
messages(int port, size_t octets, int recipients, int count, double *seconds)
{
	static char envelope[40 * (RECIPIENTS_MAX + 2)];
	size_t length = make_envelope(envelope, sizeof envelope, recipients);
	int server = dial(port);

	make_lines();
	expect(server, '2');
	say(server, "EHLO client.example.org\r\n", 25);
	expect(server, '2');
	for (int i = 0; i < count; i++) {
		double begun = now();

		say(server, envelope, length);
		for (int j = 0; j < 1 + recipients; j++)
			expect(server, '2');
		expect(server, '3');
		send_content(server, octets);
		expect(server, '2');
		seconds[i] = now() - begun;
	}
	return server;
}

static void
greetings(int port, int count, double *seconds)
{
	for (int i = 0; i < count; i++) {
		double begun = now();
		int server = dial(port);

		expect(server, '2');
		seconds[i] = now() - begun;
		quit(server);
	}
}

static int
compare(const void *a, const void *b)
{
	double one = *(const double *)a, other = *(const double *)b;

	return (one > other) - (one < other);
}

int
main(int argc, char **argv)
{
	static double seconds[10000];
	int port = argc > 2 ? atoi(argv[2]) : 0, server = -1;
	int count = argc > 3 ? atoi(argv[argc - 1]) : 0;
	int recipients = argc > 4 ? atoi(argv[4]) : 1;

	if (count < 1 || count > 10000 || recipients < 1 ||
	    recipients > RECIPIENTS_MAX)
		return EX_USAGE;
	if (argc == 6 && strcmp(argv[1], "message") == 0)
		server = messages(port, strtoul(argv[3], NULL, 10), recipients,
		    count, seconds);
	else if (argc == 4 && strcmp(argv[1], "greeting") == 0)
		greetings(port, count, seconds);
	else
		return EX_USAGE;
	qsort(seconds, (size_t)count, sizeof *seconds, compare);
	if (printf("%.9f\n", seconds[count / 2]) < 0 || fflush(stdout) != 0)
		fail("load");
	if (server >= 0) {
		while (getchar() != EOF)
			continue;
		quit(server);
	}
	return 0;
}
