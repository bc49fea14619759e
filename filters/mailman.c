/* smtpd-mailman: gives Mailman the messages for its lists, and those for
 * everybody else to an upstream server, or refuses them. See
 * smtpd-mailman(8). */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "forward.h"
#include "letter.h"
#include "split.h"
#include "upstream.h"

static const char usage[] =
    "usage: smtpd-mailman [options] [HOST[:PORT]]\n"
    "Hands the message on standard input, with the envelope in the\n"
    "environment, to Mailman for the recipients that it knows, and for the\n"
    "others to the server HOST; without one they are refused.\n"
    "  -l, --lmtp PLACE      Mailman 3: HOST:PORT or unix:PATH\n"
    "                        (localhost:8024)\n"
    "  -w, --wrapper PATH    Mailman 2.1: its program mail/mailman\n"
    "  -d, --lists DIR       Mailman 2.1: its directory lists\n"
    "  -k, --check           ask whether RECIPIENT is accepted: a RCPT "
    "hook\n" FORWARD_USAGE;

static const struct option options[] = {
    {"lmtp", required_argument, NULL, 'l'},
    {"wrapper", required_argument, NULL, 'w'},
    {"lists", required_argument, NULL, 'd'},
    {"check", no_argument, NULL, 'k'},
    FORWARD_OPTIONS,
    {NULL, 0, NULL, 0},
};

/* What the command line says. */
struct mailman {
	bool check;
	const char *lists; /* where Mailman is */
	const char *place; /* upstream, or NULL */
	struct forward forward;
};

/* All of a run behind the checks of the message. */
static int
hand_over(const struct mailman *mailman, struct split *split)
{
	struct upstream_settings lists = {
	    .client = mailman->forward.settings.client,
	    .utf8 = mailman->forward.settings.utf8,
	    .deadline = mailman->forward.settings.deadline,
	};
	const char *reply;
	size_t length;

	lists.client.lmtp = true;
	lists.client.user = lists.client.password = NULL;
	if (split_ask(split, &lists) && split->parcel)
		split_send(split);
	forward_note(&mailman->forward, mailman->lists, &split->lists.upstream);
	if (mailman->place)
		forward_note(
		    &mailman->forward, mailman->place, &split->upstream);
	split_end(split);
	reply = quote_reply(&split->quote, &length);
	forward_print(&mailman->forward, reply, length);
	return forward_status(split->quote.code);
}

static int
deliver(const struct mailman *mailman, struct split *split)
{
	static struct letter letter;
	struct parcel parcel = {.message = &letter.message};
	const char *why;
	int status = letter_take(&letter, STDIN_FILENO, &why);

	if (status == EX_DATAERR)
		forward_print(&mailman->forward, why, strlen(why));
	else if (status != EX_OK)
		(void)forward_complain(&mailman->forward, "message", why, 0);
	if (status != EX_OK)
		return status;
	split->about = &letter.envelope;
	split->parcel = &parcel;
	return hand_over(mailman, split);
}

/* As a RCPT hook: the candidate alone, and no message. */
static int
check(const struct mailman *mailman, struct split *split)
{
	struct upstream_envelope about = letter_candidate();

	if (about.recipients.addresses.length == 0)
		return forward_complain(&mailman->forward, "usage",
		    "RECIPIENT is not set", EX_USAGE);
	split->about = &about;
	return hand_over(mailman, split);
}

/* Reads the places that were named; NULL, or what is wrong with one. */
static const char *
take_places(const struct mailman *mailman, struct split *split)
{
	struct dial *dial = &split->lists.upstream.dial;

	if (!split->lists.wrapper.path &&
	    (!dial_parse(dial, mailman->lists, NULL) ||
		dial->kind == DIAL_UCSPI))
		return "--lmtp is not HOST:PORT, [IPv6]:PORT or unix:PATH";
	if (mailman->place &&
	    !dial_parse(&split->upstream.dial, mailman->place, "25"))
		return "not HOST[:PORT], [IPv6]:PORT, unix:PATH or -";
	return NULL;
}

static int
run(struct mailman *mailman, struct split *split)
{
	const char *why = take_places(mailman, split);
	int status;

	if (why)
		return forward_complain(
		    &mailman->forward, "usage", why, EX_USAGE);
	status = forward_begin(&mailman->forward);
	if (status != EX_OK)
		return status;
	if (split->lists.wrapper.path)
		why = wrapper_begin(&split->lists.wrapper);
	if (why)
		return forward_complain(
		    &mailman->forward, why, strerror(errno), EX_CONFIG);
	if (mailman->place)
		split->settings = &mailman->forward.settings;
	return mailman->check ? check(mailman, split) : deliver(mailman, split);
}

/* Takes an option; false if its argument is bad. */
static bool
take_option(struct mailman *mailman, struct wrapper *wrapper, int option)
{
	switch (option) {
	case 'l':
		mailman->lists = optarg;
		return true;
	case 'w':
		wrapper->path = optarg;
		return *optarg;
	case 'd':
		wrapper->folder_path = optarg;
		return *optarg;
	case 'k':
		mailman->check = true;
		return true;
	default:
		return forward_option(&mailman->forward, option, optarg);
	}
}

/* What is wrong with the options together; NULL if nothing is. */
static const char *
objection(const struct mailman *mailman, const struct wrapper *wrapper)
{
	if (!wrapper->path != !wrapper->folder_path)
		return "--wrapper and --lists go together";
	if (wrapper->path && mailman->lists)
		return "--lmtp is for Mailman 3, --wrapper for Mailman 2.1";
	return NULL;
}

int
main(int argc, char **argv)
{
	static struct mailman mailman = {
	    .forward = {.program = "smtpd-mailman", .timeout = FORWARD_TIMEOUT},
	};
	static struct split split;
	struct wrapper *wrapper = &split.lists.wrapper;
	const char *why;
	int option;

	/* getopt(3) complains by itself, in one line. */
	while ((option = getopt_long(argc, argv, "l:w:d:k" FORWARD_LETTERS,
		    options, NULL)) != -1) {
		if (option == 'V')
			return forward_tell(
			    &mailman.forward, "smtpd-mailman " VERSION "\n");
		if (option == 'h')
			return forward_tell(&mailman.forward, usage);
		if (option == '?')
			return EX_USAGE;
		if (!take_option(&mailman, wrapper, option))
			return forward_complain(&mailman.forward,
			    "bad option argument", optarg, EX_USAGE);
	}
	why = objection(&mailman, wrapper);
	if (argc - optind > 1)
		why = "one server, please";
	if (why)
		return forward_complain(
		    &mailman.forward, "usage", why, EX_USAGE);
	if (!mailman.lists)
		mailman.lists =
		    wrapper->path ? wrapper->path : "localhost:8024";
	mailman.place = argv[optind];
	return run(&mailman, &split);
}
