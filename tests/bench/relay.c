/* The least that can be done for the promises of smtpd-relay(8), for one
 * recipient and an upstream that is an IPv4 address and pipelines: a yardstick
 * for make bench, and not for use.
 *
 *	relay ADDRESS:PORT <message
 *
 * The same octets in the same round trips, a message that is whole and was
 * looked through before upstream hears of it, the same end of patience, and 0
 * only for 250. Of replies only the codes are looked at. The message is kept
 * in memory, encoded as it arrives. */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <sysexits.h>
#include <unistd.h>

enum { MOST = 128 << 20, PATIENCE = 500 };

static char input[65536], content[2 * MOST], text[8192], *end = content;
static size_t size; /* with line ends as CRLF */
static char last = '\n';
static unsigned char high;

/* Takes octets in; false if they cannot be sent. */
static int
encode(const char *at, size_t length)
{
	const char *stop = at + length, *next;
	unsigned char nul = 0;

	for (size_t i = 0; i < length; i++) {
		high |= (unsigned char)at[i];
		nul |= at[i] == '\0';
	}
	if (nul || memchr(at, '\r', length) || size + length > MOST)
		return 0;
	for (size += length; at < stop; at = next) {
		const char *newline = memchr(at, '\n', (size_t)(stop - at));

		next = newline ? newline + 1 : stop;
		if (last == '\n' && *at == '.')
			*end++ = '.';
		end = mempcpy(end, at, (size_t)(next - at));
		last = end[-1];
		if (last == '\n') {
			memcpy(end - 1, "\r\n", 2);
			end++;
			size++;
		}
	}
	return 1;
}

/* Says words[0..to), and reads so many replies; ends if one has not the code.
 */
static void
ask(int upstream, const char *words, const char *to, int replies, int code)
{
	size_t length = (size_t)(to - words), held = 0;
	char *at = text, *newline;

	if (length > 0 && write(upstream, words, length) != (ssize_t)length)
		exit(EX_TEMPFAIL);
	while (replies > 0) {
		ssize_t n = read(upstream, text + held, sizeof text - held - 1);

		if (n <= 0)
			exit(EX_TEMPFAIL);
		text[held += (size_t)n] = '\0';
		for (; (newline = strchr(at, '\n')); at = newline + 1) {
			if (atoi(at) != code)
				exit(*at == '5' ? EX_UNAVAILABLE : EX_TEMPFAIL);
			replies -= at[3] != '-';
		}
	}
}

static void
deliver(int upstream)
{
	char words[4096], digits[21] = "", *digit = digits + 20, *at;
	struct utsname host;

	ask(upstream, "", "", 1, 220);
	(void)uname(&host);
	at = stpcpy(stpcpy(stpcpy(words, "EHLO "), host.nodename), "\r\n");
	ask(upstream, words, at, 1, 250);
	at =
	    stpcpy(stpcpy(stpcpy(words, "MAIL FROM:<"), getenv("SENDER")), ">");
	do
		*--digit = (char)('0' + size % 10);
	while ((size /= 10) > 0);
	if (strstr(text, "SIZE"))
		at = stpcpy(stpcpy(at, " SIZE="), digit);
	at = stpcpy(at, high & 0x80 ? " BODY=8BITMIME" : "");
	at = stpcpy(stpcpy(at, "\r\nRCPT TO:<"), getenv("RECIPIENTS"));
	ask(upstream, words, stpcpy(at, ">\r\n"), 2, 250);
	at = stpcpy(words, "DATA\r\n");
	ask(upstream, words, at, 1, 354);
	end = stpcpy(end, last == '\n' ? ".\r\n" : "\r\n.\r\n");
	ask(upstream, content, end, 1, 250);
	if (write(1, text, strlen(text)) < 0)
		_exit(EX_OK); /* upstream has it */
	if (write(upstream, "QUIT\r\n", 6) == 6)
		(void)read(upstream, text, sizeof text);
}

int
main(int argc, char **argv)
{
	const char *whole = getenv("SMTP_SIZE");
	char *colon = argc == 2 ? strchr(argv[1], ':') : NULL;
	struct sockaddr_in address = {.sin_family = AF_INET};
	int upstream = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	size_t taken = 0;
	ssize_t n;

	if (!colon || !getenv("SENDER") || !getenv("RECIPIENTS"))
		return EX_USAGE;
	(void)signal(SIGPIPE, SIG_IGN);
	(void)alarm(PATIENCE);
	*colon = '\0';
	(void)inet_pton(AF_INET, argv[1], &address.sin_addr);
	address.sin_port = htons((in_port_t)atoi(colon + 1));
	for (; (n = read(0, input, sizeof input)) > 0; taken += (size_t)n)
		if (!encode(input, (size_t)n))
			return EX_DATAERR;
	if (n < 0 || (whole && taken < strtoul(whole, NULL, 10)) ||
	    connect(upstream, (struct sockaddr *)&address, sizeof address) != 0)
		return EX_TEMPFAIL;
	(void)setsockopt(
	    upstream, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
	deliver(upstream);
	return EX_OK;
}
