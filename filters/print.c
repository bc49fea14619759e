/* smtpd-print: shows each message to whoever watches, as Python's
 * DebuggingServer did or as JSON; delivers it nowhere. See smtpd-print(8). */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "environment.h"
#include "intake.h"
#include "jsonmail.h"
#include "sink.h"

static const char usage[] =
    "usage: smtpd-print [--json] [FILE]\n"
    "Prints the message on standard input, and the envelope in the\n"
    "environment, on standard error or at the end of FILE.\n"
    "  -j, --json     one JSON object a line\n"
    "  -V, --version  print the version and exit\n"
    "  -h, --help     print this and exit\n";

static const struct option options[] = {
    {"json", no_argument, NULL, 'j'},
    {"version", no_argument, NULL, 'V'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static void
put(struct sink *sink, const char *text)
{
	sink_write(sink, text, strlen(text));
}

/* word as Python's repr() writes a string. */
static void
put_repr(struct sink *sink, struct piece word)
{
	bool single = memchr(word.text, '\'', word.length) != NULL;
	bool twofold = memchr(word.text, '"', word.length) != NULL;
	char quote = single && !twofold ? '"' : '\'';

	sink_write(sink, &quote, 1);
	for (size_t i = 0; i < word.length; i++) {
		if (word.text[i] == '\\' || word.text[i] == quote)
			put(sink, "\\");
		sink_write(sink, word.text + i, 1);
	}
	sink_write(sink, &quote, 1);
}

/* Adds words to the list that label begins, which has count words already.
 * Returns how many it has then. */
static size_t
put_words(
    struct sink *sink, const char *label, struct piece words, size_t count)
{
	struct piece word;

	for (; piece_next_word(&words, &word); count++) {
		put(sink, count == 0 ? label : ", ");
		put_repr(sink, word);
	}
	return count;
}

/* The parameters; those of all recipients are one list, as in Python, whose
 * two lists end differently. */
static void
put_parameters(struct sink *sink)
{
	struct recipients recipients = environment_recipients();
	struct piece address, parameters;
	size_t count = put_words(
	    sink, "mail options: [", environment_value("SMTP_MAIL_OPTIONS"), 0);

	if (count > 0)
		put(sink, "]\n");
	count = 0;
	while (recipients_next(&recipients, &address, &parameters))
		count = put_words(sink, "rcpt options: [", parameters, count);
	if (count > 0)
		put(sink, "]\n\n");
}

/* There is always a line of ours, so that none in the message passes for it.
 * It ends as the empty line behind it does. */
static void
put_peer(struct sink *sink, bool crlf)
{
	struct piece peer = environment_value("TCPREMOTEIP");

	put(sink, "X-Peer: ");
	if (peer.length > 0)
		sink_write(sink, peer.text, peer.length);
	else
		put(sink, "unknown");
	put(sink, crlf ? "\r\n" : "\n");
}

/* Writes the message. X-Peer: stands before the first empty line; where there
 * is none, there is no X-Peer:, as in Python. */
static void
put_message(struct sink *sink, struct intake *message)
{
	bool header = true;
	char last = '\n';
	const char *text, *end;
	size_t length;

	while (
	    sink_good(sink) && (length = intake_peek(message, 2, &text)) > 0) {
		if (header && last == '\n' && intake_empty_line(message) > 0) {
			put_peer(sink, *text == '\r');
			header = false;
		}
		end = header ? memchr(text, '\n', length) : NULL;
		if (end)
			length = (size_t)(end + 1 - text);
		last = text[length - 1];
		sink_write(sink, text, length);
		intake_use(message, length);
	}
	if (last != '\n')
		put(sink, "\n");
}

/* The print of DebuggingServer in CPython 3.11, its lines as they came. */
static void
put_plain(struct sink *sink, struct intake *message)
{
	put(sink, "---------- MESSAGE FOLLOWS ----------\n");
	put_parameters(sink);
	put_message(sink, message);
	put(sink, "------------ END MESSAGE ------------\n");
}

/* Says on standard error what is wrong, in one write. */
static void
complain(const char *what, const char *why)
{
	char line[PATH_MAX + 256];
	int length =
	    snprintf(line, sizeof line, "smtpd-print: %s: %s\n", what, why);

	if (length >= (int)sizeof line)
		length = (int)sizeof line - 1;
	/* There is nowhere to complain about complaining. */
	if (length > 0 && write(STDERR_FILENO, line, (size_t)length) < 0)
		return;
}

static int
fail(const char *what, int error)
{
	complain(what, strerror(error));
	return EX_TEMPFAIL;
}

static int
print(bool json, const char *file)
{
	static struct intake message;
	static struct sink sink;
	const char *output = file ? file : "standard error";
	time_t now = time(NULL);

	/* A failed write is to be told from its errno. */
	if (signal(SIGPIPE, SIG_IGN) == SIG_ERR ||
	    signal(SIGXFSZ, SIG_IGN) == SIG_ERR)
		return fail("signal", errno);
	if (intake_read(&message, STDIN_FILENO) < 0)
		return fail("cannot take in the message", errno);
	if (sink_open(&sink, file) < 0)
		return fail(output, errno);
	sink_begin(&sink);
	if (json)
		jsonmail_write(&message, &sink, now);
	else
		put_plain(&sink, &message);
	if (sink_end(&sink, message.error == 0) < 0)
		return fail(output, errno);
	if (message.error != 0)
		return fail("cannot read the message again", message.error);
	return EX_OK;
}

static int
tell(const char *text)
{
	if (fputs(text, stdout) == EOF || fflush(stdout) == EOF)
		return fail("standard output", errno);
	return EX_OK;
}

static int
misused(const char *why)
{
	complain("usage", why);
	return EX_USAGE;
}

int
main(int argc, char **argv)
{
	bool json = false;
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, "jVh", options, NULL)) != -1)
		switch (option) {
		case 'j':
			json = true;
			break;
		case 'V':
			return tell("smtpd-print " VERSION "\n");
		case 'h':
			return tell(usage);
		default:
			return misused("unknown option (--help lists them)");
		}
	argv += optind;
	argc -= optind;
	if (argc > 1)
		return misused("more than one FILE");
	if (argc == 1 && !*argv[0])
		return misused("FILE is empty");
	return print(json, argc == 1 ? argv[0] : NULL);
}
