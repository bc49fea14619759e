/* smtpd-relay: hands each message to another SMTP or LMTP server, and that
 * server's answer to the client; keeps nothing. See smtpd-relay(8). */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "address.h"
#include "clock.h"
#include "credentials.h"
#include "io.h"
#include "letter.h"
#include "number.h"
#include "upstream.h"

/* Seconds for all of it: less than smtpd's --command-timeout, which is less
 * than clients wait. */
#define TIMEOUT 500

static const char usage[] =
    "usage: smtpd-relay [options] HOST[:PORT] | [IPv6]:PORT | unix:PATH | -\n"
    "Hands the message on standard input, with the envelope in the\n"
    "environment, to another server, and prints the server's answer.\n"
    "  -k, --check           ask whether RECIPIENT is accepted: a RCPT hook\n"
    "  -L, --lmtp            the server speaks LMTP\n"
    "  -x, --x-peer          add X-Peer: with the client's address\n"
    "  -a, --auth-file FILE  log in with the line user:password in FILE\n"
    "  -p, --auth-plaintext  log in over a network, too\n"
    "  -n, --hostname NAME   our name in EHLO (SMTP_HOSTNAME)\n"
    "  -t, --timeout SECONDS longest run (500)\n"
    "  -V, --version         print the version and exit\n"
    "  -h, --help            print this and exit\n";

static const struct option options[] = {
    {"check", no_argument, NULL, 'k'},
    {"lmtp", no_argument, NULL, 'L'},
    {"x-peer", no_argument, NULL, 'x'},
    {"auth-file", required_argument, NULL, 'a'},
    {"auth-plaintext", no_argument, NULL, 'p'},
    {"hostname", required_argument, NULL, 'n'},
    {"timeout", required_argument, NULL, 't'},
    {"version", no_argument, NULL, 'V'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

/* What the command line says. */
struct relay {
	bool check, x_peer;
	const char *place, *auth_file;
	uint64_t timeout;
	struct upstream_settings settings;
};

/* Says on standard error what is wrong, in one write. */
static void
complain(const char *what, const char *why)
{
	char line[1024];
	int length =
	    snprintf(line, sizeof line, "smtpd-relay: %s: %s\n", what, why);

	if (length >= (int)sizeof line)
		length = (int)sizeof line - 1;
	/* There is nowhere to complain about complaining. */
	if (length > 0 && write(STDERR_FILENO, line, (size_t)length) < 0)
		return;
}

static int
fail(const char *what, const char *why, int status)
{
	complain(what, why);
	return status;
}

/*
 * Prints a reply. One that cannot be printed is left to the exit status, which
 * says no more and no less than its class.
 */
static void
print(const char *reply, size_t length)
{
	if (length > 0 && !io_write(STDOUT_FILENO, reply, length))
		complain("standard output", strerror(errno));
}

/* The exit status beside replies that are no success: one that lets them
 * stand, and means the same without them (smtpd-delivery(7)). */
static int
status_of(int code)
{
	return code >= 500 ? EX_UNAVAILABLE : EX_TEMPFAIL;
}

/* Ends a run that came to nothing. */
static int
refused(const struct relay *relay, const struct upstream *upstream)
{
	size_t length;
	const char *reply = upstream_reply(upstream, &length);

	print(reply, length);
	if (upstream->trouble[0])
		complain(relay->place, upstream->trouble);
	return status_of(upstream->quote.code);
}

/* Whoever reads LMTP replies reads one for each recipient. */
static bool
replies_are_many(const struct upstream *upstream)
{
	const char *protocol = getenv("SMTP_PROTOCOL");

	return upstream->settings->client.lmtp && protocol &&
	       strstr(protocol, "LMTP");
}

/* Waits for the verdicts and prints them, or the worst; the exit status. */
static int
tell_verdicts(const struct relay *relay, struct upstream *upstream)
{
	struct quote worst = {.utf8 = relay->settings.utf8};
	bool many = replies_are_many(upstream), good = false;
	const char *reply;
	size_t length;

	while (upstream_verdicts(upstream) > 0) {
		good = upstream_verdict(upstream) || good;
		reply = upstream_reply(upstream, &length);
		if (many)
			print(reply, length);
		quote_take(&worst, &upstream->quote);
	}
	if (upstream->trouble[0])
		complain(relay->place, upstream->trouble);
	if (!many) {
		reply = quote_reply(&worst, &length);
		print(reply, length);
	}
	/* A 2xx among many stands only beside success. */
	if (worst.code < 400 || (many && good))
		return EX_OK;
	return many && worst.code < 500 ? EX_UNAVAILABLE
					: status_of(worst.code);
}

/* The line X-Peer:, empty where none is wanted. An address does not fill it. */
static struct piece
peer_line(const struct relay *relay, const struct content *content, char *line,
    size_t size)
{
	/* Behind a header that ends in the middle of a line. */
	const char *before =
	    !content->body && content->unfinished ? "\r\n" : "";
	const char *peer = getenv("TCPREMOTEIP");
	int length;

	if (!relay->x_peer)
		return (struct piece){0};
	if (!peer || !*peer || strpbrk(peer, "\r\n"))
		peer = "unknown";
	length = snprintf(line, size, "%sX-Peer: %.64s\r\n", before, peer);
	return (struct piece){.text = line, .length = (size_t)length};
}

/* All of a run behind the checks of the message. */
static int
hand_over(const struct relay *relay, struct upstream *upstream,
    const struct upstream_envelope *about, struct parcel *parcel)
{
	int status;

	if (upstream_open(upstream, &relay->settings) &&
	    upstream_ask(upstream, about) && upstream_send(upstream, parcel))
		status = tell_verdicts(relay, upstream);
	else
		status = refused(relay, upstream);
	upstream_end(upstream);
	return status;
}

static int
deliver(const struct relay *relay, struct upstream *upstream)
{
	static struct letter letter;
	struct parcel parcel = {.message = &letter.message};
	char line[96];
	const char *why;
	int status = letter_take(&letter, STDIN_FILENO, &why);

	if (status == EX_DATAERR)
		print(why, strlen(why));
	else if (status != EX_OK)
		complain("message", why);
	if (status != EX_OK)
		return status;
	parcel.extra = peer_line(relay, &letter.content, line, sizeof line);
	parcel.offset = letter.content.header_end;
	letter.envelope.size += parcel.extra.length;
	return hand_over(relay, upstream, &letter.envelope, &parcel);
}

/* As a RCPT hook: the candidate alone, and no message. */
static int
check(const struct relay *relay, struct upstream *upstream)
{
	struct upstream_envelope about = letter_candidate();
	int status = EX_OK;

	if (about.recipients.addresses.length == 0)
		return fail("usage", "RECIPIENT is not set", EX_USAGE);
	if (!upstream_open(upstream, &relay->settings) ||
	    !upstream_ask(upstream, &about))
		status = refused(relay, upstream);
	upstream_end(upstream);
	return status;
}

/* Our name for EHLO: what was given, smtpd's, the host's, or its address. */
static const char *
own_name(const char *given)
{
	static char host[256];
	const char *smtpd = getenv("SMTP_HOSTNAME");

	if (given)
		return given;
	if (smtpd && domain_valid(smtpd, strlen(smtpd), false))
		return smtpd;
	if (gethostname(host, sizeof host - 1) == 0 &&
	    domain_valid(host, strlen(host), false))
		return host;
	return "[127.0.0.1]"; /* RFC 5321 4.1.4 */
}

static int
run(struct relay *relay)
{
	static struct upstream upstream;
	static struct credentials credentials;
	struct upstream_settings *settings = &relay->settings;
	const char *port = settings->client.lmtp ? NULL : "25";

	if (!dial_parse(&upstream.dial, relay->place, port))
		return fail("usage",
		    "not HOST[:PORT], [IPv6]:PORT, unix:PATH or - (with "
		    "--lmtp the port is needed)",
		    EX_USAGE);
	if (relay->auth_file) {
		const char *why =
		    credentials_read(&credentials, relay->auth_file);
		if (why)
			return fail(relay->auth_file, why, EX_CONFIG);
		settings->client.user = credentials.user;
		settings->client.password = credentials.password;
	}
	/* A failed write is to be told from its errno. */
	if (signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		return fail("signal", strerror(errno), EX_TEMPFAIL);
	settings->client.name = own_name(settings->client.name);
	settings->utf8 = getenv("SMTP_UTF8") != NULL;
	settings->deadline = clock_now() + (int64_t)relay->timeout * 1000;
	return relay->check ? check(relay, &upstream)
			    : deliver(relay, &upstream);
}

static int
tell(const char *text)
{
	if (fputs(text, stdout) == EOF || fflush(stdout) == EOF)
		return fail("standard output", strerror(errno), EX_TEMPFAIL);
	return EX_OK;
}

/* Takes an option; false if its argument is bad. */
static bool
take_option(struct relay *relay, int option)
{
	struct client_config *client = &relay->settings.client;

	switch (option) {
	case 'k':
		relay->check = true;
		return true;
	case 'L':
		client->lmtp = true;
		return true;
	case 'x':
		relay->x_peer = true;
		return true;
	case 'a':
		relay->auth_file = optarg;
		return *optarg;
	case 'p':
		relay->settings.auth_plaintext = true;
		return true;
	case 'n':
		client->name = optarg;
		return domain_valid(optarg, strlen(optarg), false);
	default:
		return number_parse(
			   optarg, strlen(optarg), 86400, &relay->timeout) &&
		       relay->timeout > 0;
	}
}

int
main(int argc, char **argv)
{
	struct relay relay = {.timeout = TIMEOUT};
	int option;

	/* getopt(3) complains by itself, in one line. */
	while ((option = getopt_long(
		    argc, argv, "kLxa:pn:t:Vh", options, NULL)) != -1) {
		if (option == 'V')
			return tell("smtpd-relay " VERSION "\n");
		if (option == 'h')
			return tell(usage);
		if (option == '?')
			return EX_USAGE;
		if (!take_option(&relay, option))
			return fail("bad option argument", optarg, EX_USAGE);
	}
	if (argc - optind != 1)
		return fail("usage", "one server, please", EX_USAGE);
	relay.place = argv[optind];
	return run(&relay);
}
