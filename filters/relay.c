/* smtpd-relay: hands each message to another SMTP or LMTP server, and that
 * server's answer to the client; keeps nothing. See smtpd-relay(8). */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "forward.h"
#include "letter.h"
#include "upstream.h"

static const char usage[] =
    "usage: smtpd-relay [options] HOST[:PORT] | [IPv6]:PORT | unix:PATH | -\n"
    "Hands the message on standard input, with the envelope in the\n"
    "environment, to another server, and prints the server's answer.\n"
    "  -k, --check           ask whether RECIPIENT is accepted: a RCPT hook\n"
    "  -L, --lmtp            the server speaks LMTP\n"
    "  -x, --x-peer          add X-Peer: with the client's "
    "address\n" FORWARD_USAGE;

static const struct option options[] = {
    {"check", no_argument, NULL, 'k'},
    {"lmtp", no_argument, NULL, 'L'},
    {"x-peer", no_argument, NULL, 'x'},
    FORWARD_OPTIONS,
    {NULL, 0, NULL, 0},
};

/* What the command line says. */
struct relay {
	bool check, x_peer;
	const char *place;
	struct forward forward;
};

/* Ends a run that came to nothing. */
static int
refused(const struct relay *relay, const struct upstream *upstream)
{
	size_t length;
	const char *reply = upstream_reply(upstream, &length);

	forward_print(&relay->forward, reply, length);
	forward_note(&relay->forward, relay->place, upstream);
	return forward_status(upstream->quote.code);
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
	struct quote worst = {.utf8 = upstream->settings->utf8};
	bool many = replies_are_many(upstream), good = false, never = false;
	const char *reply;
	size_t length;

	while (upstream_verdicts(upstream) > 0) {
		good = upstream_verdict(upstream) || good;
		never = upstream->quote.code >= 500 || never;
		reply = upstream_reply(upstream, &length);
		if (many)
			forward_print(&relay->forward, reply, length);
		quote_take(&worst, &upstream->quote);
	}
	forward_note(&relay->forward, relay->place, upstream);
	if (!many) {
		reply = quote_reply(&worst, &length);
		forward_print(&relay->forward, reply, length);
	}
	/* Among many a 2xx stands only beside success, a 5xx not beside 75. */
	if (worst.code < 400 || (many && good))
		return EX_OK;
	return many && never ? EX_UNAVAILABLE : forward_status(worst.code);
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
	/* A UCSPI client has put its own peer, upstream, there. */
	if (!peer || !*peer || strpbrk(peer, "\r\n") ||
	    strcmp(relay->place, "-") == 0)
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

	if (upstream_open(upstream, &relay->forward.settings) &&
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
		forward_print(&relay->forward, why, strlen(why));
	else if (status != EX_OK)
		(void)forward_complain(&relay->forward, "message", why, 0);
	if (status != EX_OK)
		return status;
	parcel.extra = peer_line(relay, &letter.content, line, sizeof line);
	parcel.offset = letter.content.header_end;
	letter.envelope.size += parcel.extra.length;
	/* The line end that a last line lacks is counted already. */
	if (parcel.extra.length > 0 && parcel.extra.text[0] == '\r')
		letter.envelope.size -= 2;
	return hand_over(relay, upstream, &letter.envelope, &parcel);
}

/* As a RCPT hook: the candidate alone, and no message. */
static int
check(const struct relay *relay, struct upstream *upstream)
{
	struct upstream_envelope about = letter_candidate();
	int status = EX_OK;

	if (about.recipients.addresses.length == 0)
		return forward_complain(
		    &relay->forward, "usage", "RECIPIENT is not set", EX_USAGE);
	if (!upstream_open(upstream, &relay->forward.settings) ||
	    !upstream_ask(upstream, &about))
		status = refused(relay, upstream);
	upstream_end(upstream);
	return status;
}

static int
run(struct relay *relay)
{
	static struct upstream upstream;
	const char *port = relay->forward.settings.client.lmtp ? NULL : "25";
	int status;

	if (!dial_parse(&upstream.dial, relay->place, port))
		return forward_complain(&relay->forward, relay->place,
		    "not HOST[:PORT], [IPv6]:PORT, unix:PATH or - (with "
		    "--lmtp the port is needed)",
		    EX_USAGE);
	status = forward_begin(&relay->forward);
	if (status != EX_OK)
		return status;
	return relay->check ? check(relay, &upstream)
			    : deliver(relay, &upstream);
}

/* Takes an option; false if its argument is bad. */
static bool
take_option(struct relay *relay, int option)
{
	switch (option) {
	case 'k':
		relay->check = true;
		return true;
	case 'x':
		relay->x_peer = true;
		return true;
	case 'L':
		relay->forward.settings.client.lmtp = true;
		return true;
	default:
		return forward_option(&relay->forward, option, optarg);
	}
}

int
main(int argc, char **argv)
{
	static struct relay relay = {
	    .forward = {.program = "smtpd-relay", .timeout = FORWARD_TIMEOUT},
	};
	int option;

	/* getopt(3) complains by itself, in one line. */
	while ((option = getopt_long(
		    argc, argv, "kLx" FORWARD_LETTERS, options, NULL)) != -1) {
		if (option == 'V')
			return forward_tell(
			    &relay.forward, "smtpd-relay " VERSION "\n");
		if (option == 'h')
			return forward_tell(&relay.forward, usage);
		if (option == '?')
			return EX_USAGE;
		if (!take_option(&relay, option))
			return forward_complain(&relay.forward,
			    "bad option argument", optarg, EX_USAGE);
	}
	if (argc - optind != 1)
		return forward_complain(
		    &relay.forward, "usage", "one server, please", EX_USAGE);
	relay.place = argv[optind];
	return run(&relay);
}
