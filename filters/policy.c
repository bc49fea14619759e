/* smtpd-policy: a hook that asks a Postfix policy server and does what it
 * says, as far as a hook can. See smtpd-policy(8). */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "action.h"
#include "enquire.h"
#include "forward.h"
#include "inquiry.h"
#include "instance.h"
#include "number.h"
#include "text.h"

/* Octets of a variable's name, NUL included. */
#define NAME_MAX_OCTETS 64

static const char usage[] =
    "usage: smtpd-policy [options] unix:PATH | [inet:]HOST:PORT\n"
    "A hook of smtpd: asks a Postfix policy server about the command in\n"
    "SMTP_VERB and turns its answer into a reply.\n"
    "  -c, --context TEXT    the attribute policy_context\n"
    "  -d, --default ACTION  where there is no answer (451 4.3.5 Server\n"
    "                        configuration problem)\n"
    "  -n, --name NAME       begins the variables handed on (X_POLICY)\n"
    "  -t, --timeout SECONDS longest wait for an answer, twice (100)\n"
    "  -v, --verified        TCPREMOTEHOST is verified: client_name, too\n"
    "  -V, --version         print the version and exit\n"
    "  -h, --help            print this and exit\n";

static const struct option options[] = {
    {"context", required_argument, NULL, 'c'},
    {"default", required_argument, NULL, 'd'},
    {"name", required_argument, NULL, 'n'},
    {"timeout", required_argument, NULL, 't'},
    {"verified", no_argument, NULL, 'v'},
    {"version", no_argument, NULL, 'V'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static const struct forward forward = {.program = "smtpd-policy"};

/* What the command line says, and where we are. */
struct policy {
	const char *place;
	const char *otherwise; /* the default action */
	const char *name;
	uint64_t timeout;
	bool utf8; /* the client takes UTF-8 */
	const char *state;
	struct inquiry_about about;
	char instance[INSTANCE_MAX];
	bool instance_is_new;
};

/* True where a message may get a header field and hooks hand variables on. */
static bool
in_transaction(const char *state)
{
	return strcmp(state, "MAIL") == 0 || strcmp(state, "RCPT") == 0 ||
	       strcmp(state, "DATA") == 0;
}

/* The variable NAME_WHAT as it came. */
static const char *
variable(const struct policy *policy, const char *what)
{
	char name[2 * NAME_MAX_OCTETS];

	(void)snprintf(name, sizeof name, "%s_%s", policy->name, what);
	return getenv(name);
}

/* Hands it on: a line of output that smtpd keeps for later hooks. */
static void
hand_on(const struct policy *policy, const char *what, const char *value,
    size_t length)
{
	char line[2 * NAME_MAX_OCTETS + ACTION_FIELD_MAX + 2];
	int n = snprintf(line, sizeof line, "%s_%s=%.*s\n", policy->name, what,
	    (int)length, value);

	forward_print(&forward, line, (size_t)n); /* it fits */
}

/*
 * Lets the step happen, with what later hooks and the command have to know.
 * Variables live as long as the connection: one that an earlier message has
 * left is emptied. At RCPT that is seen by no recipient being taken yet.
 */
static int
pass(const struct policy *policy, const char *field, size_t length)
{
	const char *old = variable(policy, policy->state), *taken;

	if (!in_transaction(policy->state))
		return EX_OK;
	if (policy->instance_is_new)
		hand_on(policy, "INSTANCE", policy->instance,
		    strlen(policy->instance));
	taken = getenv("RECIPIENTS");
	if (length == 0 && strcmp(policy->state, "RCPT") == 0 && taken &&
	    *taken)
		return EX_OK;
	if (length > 0 || (old && *old))
		hand_on(policy, policy->state, field, length);
	return EX_OK;
}

static void
note(const struct policy *policy, const char *what, const struct action *action)
{
	char line[ACTION_FIELD_MAX + 64];

	(void)snprintf(line, sizeof line, "%s%.*s", what, (int)action->length,
	    action->text); /* it fits */
	(void)forward_complain(&forward, policy->place, line, 0);
}

static int
act(const struct policy *policy, struct action *action)
{
	switch (action->kind) {
	case ACTION_REFUSE:
		forward_print(&forward, action->text, action->length);
		return forward_status(action->code);
	case ACTION_PREPEND:
		if (in_transaction(policy->state))
			return pass(policy, action->text, action->length);
		note(policy, "ignored: PREPEND ", action);
		break;
	case ACTION_NOTE:
		note(policy, "", action);
		break;
	case ACTION_UNKNOWN:
		note(policy, "ignored: ", action);
		break;
	case ACTION_PASS:
		break;
	}
	return pass(policy, "", 0);
}

/* Asks, and finds the action, or takes the default one. */
static int
run(struct policy *policy)
{
	static struct inquiry inquiry;
	static struct enquire answer;
	struct action action;

	/* A failed write is to be told from its errno. */
	if (signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		return forward_complain(
		    &forward, "signal", strerror(errno), EX_TEMPFAIL);
	policy->instance_is_new = instance_find(
	    policy->state, variable(policy, "INSTANCE"), policy->instance);
	policy->about.instance = policy->instance;
	if (!inquiry_word(&inquiry, policy->state, &policy->about))
		(void)snprintf(answer.trouble, sizeof answer.trouble,
		    "the question is too long");
	else if (enquire(&answer, policy->place, inquiry.text, inquiry.length,
		     (int64_t)policy->timeout * 1000)) {
		action_read(&action, answer.value, answer.length, policy->utf8);
		return act(policy, &action);
	}
	forward_trouble(&forward, policy->place, answer.trouble);
	action_read(&action, policy->otherwise, strlen(policy->otherwise),
	    policy->utf8);
	return act(policy, &action);
}

/* X_[A-Z0-9_]+, as smtpd takes it from hooks. */
static bool
is_name(const char *name)
{
	size_t length = strlen(name);

	for (size_t i = 0; i < length; i++)
		if (!text_is_digit(name[i]) && name[i] != '_' &&
		    (name[i] < 'A' || name[i] > 'Z'))
			return false;
	return length > 2 && length < NAME_MAX_OCTETS &&
	       strncmp(name, "X_", 2) == 0;
}

/* One that says what happens. */
static bool
is_default(const char *text)
{
	struct action action;

	action_read(&action, text, strlen(text), false);
	return action.kind == ACTION_PASS || action.kind == ACTION_REFUSE;
}

/* Takes an option; false if its argument is bad. */
static bool
take_option(struct policy *policy, int option, const char *argument)
{
	switch (option) {
	case 'c':
		policy->about.context = argument;
		return true;
	case 'd':
		policy->otherwise = argument;
		return *argument && is_default(argument);
	case 'n':
		policy->name = argument;
		return is_name(argument);
	case 't':
		return number_parse(argument, strlen(argument), 86400,
			   &policy->timeout) &&
		       policy->timeout > 0;
	default:
		policy->about.name_verified = true;
		return true;
	}
}

/* What is wrong with the place and the stage; NULL if nothing is. */
static const char *
objection(struct policy *policy)
{
	struct dial dial = {0};

	if (strncmp(policy->place, "inet:", 5) == 0)
		policy->place += 5;
	if (!dial_parse(&dial, policy->place, NULL) || dial.kind == DIAL_UCSPI)
		return "not unix:PATH or inet:HOST:PORT";
	policy->state = inquiry_state();
	policy->utf8 = getenv("SMTP_UTF8") != NULL;
	return policy->state ? NULL : "no policy server knows this SMTP_VERB";
}

int
main(int argc, char **argv)
{
	static struct policy policy = {
	    .otherwise = "451 4.3.5 Server configuration problem",
	    .name = "X_POLICY",
	    .timeout = 100,
	    .about = {.context = ""},
	};
	const char *why;
	int option;

	/* getopt(3) complains by itself, in one line. */
	while ((option = getopt_long(
		    argc, argv, "c:d:n:t:vVh", options, NULL)) != -1) {
		if (option == 'V')
			return forward_tell(
			    &forward, "smtpd-policy " VERSION "\n");
		if (option == 'h')
			return forward_tell(&forward, usage);
		if (option == '?')
			return EX_USAGE;
		if (!take_option(&policy, option, optarg))
			return forward_complain(
			    &forward, "bad option argument", optarg, EX_USAGE);
	}
	if (argc - optind != 1)
		return forward_complain(
		    &forward, "usage", "one policy server, please", EX_USAGE);
	policy.place = argv[optind];
	why = objection(&policy);
	if (why)
		return forward_complain(&forward, "usage", why, EX_USAGE);
	return run(&policy);
}
