/* smtpd-maildir: delivers each message into a Maildir for each recipient, all
 * or none, on the disk before it exits 0. See smtpd-maildir(8). */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <unistd.h>

#include "batch.h"
#include "ending.h"
#include "environment.h"
#include "failure.h"
#include "intake.h"
#include "io.h"
#include "keep.h"
#include "number.h"
#include "paged.h"
#include "pattern.h"
#include "recipient.h"
#include "reply.h"
#include "text.h"

#define PROGRAM "smtpd-maildir"

static const char usage[] =
    "usage: smtpd-maildir [--create] [--lower-case] PATTERN\n"
    "Delivers the message on standard input into the Maildir PATTERN of each\n"
    "recipient in the environment: %u is the local part, %d the domain, %a\n"
    "both, %% a percent sign, ~/ in front the home directory of the user %u.\n"
    "  -c, --create      make Maildirs that are missing\n"
    "  -l, --lower-case  local parts in lower case: Bob is bob\n"
    "  -V, --version     print the version and exit\n"
    "  -h, --help        print this and exit\n";

static const struct option options[] = {
    {"create", no_argument, NULL, 'c'},
    {"lower-case", no_argument, NULL, 'l'},
    {"version", no_argument, NULL, 'V'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

/* Everything, for all recipients. */
struct work {
	struct rule rule;
	struct recipient *recipients;
	struct batch batch;
};

/* True if the last of them is one of those before: a recipient that was named
 * twice. */
static bool
repeated(const struct recipient *recipients, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (mailbox_same(
			&recipients[i].mailbox, &recipients[count].mailbox))
			return true;
	return false;
}

/* What goes on top of the message (RFC 5321 4.4), with its line ends. */
static int
write_head(
    struct delivery *delivery, struct piece address, struct intake *message)
{
	struct piece sender = environment_value("SENDER");
	static const char by[] = "Return-Path: <", to[] = "Delivered-To: ";
	const char *text, *newline, *end = "\n";
	char *head;
	size_t length;

	intake_rewind(message);
	length = intake_peek(message, INTAKE_MEMORY, &text);
	newline = memchr(text, '\n', length);
	if (newline && newline > text && newline[-1] == '\r')
		end = "\r\n";
	/* Two line ends, > and a NUL are six octets at most. */
	head = keep(sizeof by + sizeof to + sender.length + address.length + 6);
	if (!head)
		return failure_tell(
		    EX_TEMPFAIL, ENOMEM, "note the header", NULL);
	delivery->head = head;
	head = stpcpy(head, by);
	head = stpcpy(head, sender.text ? sender.text : "");
	head = stpcpy(stpcpy(stpcpy(head, ">"), end), to);
	memcpy(head, address.text, address.length);
	(void)stpcpy(head + address.length, end);
	return EX_OK;
}

/* Makes a delivery of each recipient, before anything is done for any. */
static int
prepare(struct work *work)
{
	struct recipients all = environment_recipients();
	struct piece options_of_it;
	struct batch *batch = &work->batch;
	int status = EX_OK;

	for (struct recipient *recipient = work->recipients;
	     status == EX_OK &&
	     recipients_next(&all, &recipient->address, &options_of_it);
	     recipient = work->recipients + batch->count) {
		struct delivery *delivery = batch->deliveries + batch->count;

		status = recipient_name(recipient, &work->rule);
		if (status != EX_OK || repeated(work->recipients, batch->count))
			continue;
		status = recipient_find(recipient, &work->rule, delivery);
		if (status == EX_OK)
			status = write_head(
			    delivery, recipient->address, batch->message);
		batch->count++;
	}
	return status;
}

/* Room for all of them, and for two descriptors each. */
static int
make_room(struct work *work)
{
	struct recipients all = environment_recipients();
	struct piece address, options_of_it;
	struct rlimit limit;
	size_t count = 0;

	while (recipients_next(&all, &address, &options_of_it))
		count++;
	if (count == 0)
		return failure_tell(
		    EX_USAGE, 0, "deliver to nobody", "smtpd sets RECIPIENTS");
	work->recipients = keep_many(count + 1, sizeof *work->recipients);
	work->batch.deliveries =
	    keep_many(count + 1, sizeof *work->batch.deliveries);
	if (!work->recipients || !work->batch.deliveries)
		return failure_tell(
		    EX_TEMPFAIL, errno, "note recipients", NULL);
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		rlim_t wanted = 2 * (rlim_t)count + 64;
		if (limit.rlim_max != RLIM_INFINITY && wanted > limit.rlim_max)
			wanted = limit.rlim_max;
		/* Where it stays low, open() tells. */
		if (limit.rlim_cur < wanted) {
			limit.rlim_cur = wanted;
			(void)setrlimit(RLIMIT_NOFILE, &limit);
		}
	}
	return EX_OK;
}

static int
no_message(void)
{
	return failure_tell(EX_TEMPFAIL, errno, "take in the message", NULL);
}

/* One that is shorter than smtpd says was cut on the way. */
static int
check_size(const struct intake *message)
{
	if (message->more || message->size >= message->least)
		return EX_OK;
	return failure_tell(EX_TEMPFAIL, 0, "take in all of the message",
	    "it is shorter than SMTP_SIZE");
}

/* Reads the message, or as much of it as is kept in memory. */
static int
take_in(struct intake *message)
{
	struct piece size = environment_value("SMTP_SIZE");

	if (size.text &&
	    !number_parse(size.text, size.length, UINT64_MAX, &message->least))
		return failure_tell(EX_CONFIG, 0,
		    "tell the size of the message", "SMTP_SIZE is no number");
	/* /dev/null in its place would be an empty message. */
	if (fcntl(STDIN_FILENO, F_GETFD) < 0 || !io_occupy() ||
	    intake_begin(message, STDIN_FILENO) < 0)
		return no_message();
	return check_size(message);
}

/* Reads what is left, unless it goes to one file only, and from here. */
static int
take_rest(struct batch *batch)
{
	if (!batch->message->more ||
	    (batch->count == 1 && !batch->deliveries[0].user))
		return EX_OK;
	if (intake_rest(batch->message) < 0)
		return no_message();
	return check_size(batch->message);
}

/* Tells the client what the exit status alone would not. */
static void
explain(struct work *work, int status)
{
	struct batch *batch = &work->batch;
	struct recipient *culprit = work->recipients + batch->culprit;

	if (status == EX_NOUSER)
		recipient_reply(culprit, RECIPIENT_UNKNOWN);
	else if (batch->error == ENOSPC)
		(void)io_write(
		    STDOUT_FILENO, REPLY_STORAGE "\n", sizeof REPLY_STORAGE);
	else if (batch->error == EDQUOT)
		recipient_reply(culprit, RECIPIENT_FULL);
}

static int
deliver(struct work *work)
{
	static PAGED struct intake message;
	struct piece sender = environment_value("SENDER");
	int status;

	/* A failed write is to be told from its errno. */
	if (signal(SIGPIPE, SIG_IGN) == SIG_ERR ||
	    signal(SIGXFSZ, SIG_IGN) == SIG_ERR)
		return failure_tell(EX_TEMPFAIL, errno, "set up signals", NULL);
	if (sender.text && text_has_control(sender.text, sender.length))
		return failure_tell(EX_USAGE, 0, "write Return-Path",
		    "SENDER has a control character");
	status = make_room(work);
	if (status == EX_OK)
		status = take_in(&message);
	if (status != EX_OK)
		return status;
	work->batch.message = &message;
	status = prepare(work);
	if (status == EX_OK)
		status = take_rest(&work->batch);
	if (status != EX_OK)
		return status;
	/* From here on there is something to take back. */
	if (ending_hold(NULL) < 0)
		return failure_tell(EX_TEMPFAIL, errno, "hold signals", NULL);
	status = batch_deliver(&work->batch);
	if (status != EX_OK)
		explain(work, status);
	return status;
}

static int
tell(const char *text)
{
	if (!io_write(STDOUT_FILENO, text, strlen(text)))
		return failure_tell(
		    EX_TEMPFAIL, errno, "write to standard output", NULL);
	return EX_OK;
}

/* Reads the pattern; 64 and a line where it is none. */
static int
take_pattern(struct rule *rule, int argc, char **argv)
{
	if (argc != 1)
		return failure_tell(EX_USAGE, 0, "go on without one PATTERN",
		    "--help says more");
	rule->pattern = argv[0];
	rule->home = argv[0][0] == '~';
	if (rule->home && argv[0][1] != '/')
		return failure_tell(EX_USAGE, 0, "use the PATTERN",
		    "~ is followed by /; ./~ is a name");
	if (rule->home)
		rule->pattern += 2;
	if (!pattern_valid(rule->pattern, strlen(rule->pattern)))
		return failure_tell(EX_USAGE, 0, "use the PATTERN",
		    "it is empty, or a % is followed by none of u, d, a, %");
	return EX_OK;
}

int
main(int argc, char **argv)
{
	static struct work work;
	int option, status;

	failure_begin(PROGRAM);
	/* getopt(3) complains by itself, in one line. */
	while ((option = getopt_long(argc, argv, "clVh", options, NULL)) != -1)
		switch (option) {
		case 'c':
			work.batch.create = true;
			break;
		case 'l':
			work.rule.lower_case = true;
			break;
		case 'V':
			return tell(PROGRAM " " VERSION "\n");
		case 'h':
			return tell(usage);
		default:
			return EX_USAGE;
		}
	status = take_pattern(&work.rule, argc - optind, argv + optind);
	return status == EX_OK ? deliver(&work) : status;
}
