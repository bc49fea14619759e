/* smtpd: the SMTP server as a Unix filter. Options and set-up; lib/ has the
 * rest, and man/smtpd.8 says what it does. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "address.h"
#include "agent.h"
#include "io.h"
#include "listen.h"
#include "log.h"
#include "number.h"
#include "settings.h"
#include "user.h"

/* The first descriptor that LISTEN_FDS counts: sd_listen_fds(3). */
#define LISTEN_FDS_START 3
/* Longer times would overflow poll(2)'s milliseconds. */
#define SECONDS_MAX 2000000
#define COUNT_MAX 1000000000

enum name {
	LISTEN,
	CONCURRENCY,
	PER_CLIENT,
	USER,
	NOSETUID,
	TIMEOUT,
	SESSION_TIMEOUT,
	COMMAND_TIMEOUT,
	HOSTNAME,
	SIZE,
	UTF8,
	BARE_NEWLINE,
	CRLF,
	NO_RECEIVED,
	DOMAIN,
	RELAY_FROM,
	NO_TRUST,
	ANY,
	MAX_RECIPIENTS,
	MAX_MESSAGES,
	MAX_ERRORS,
	MAX_HOPS,
	DEBUG,
	QUIET,
	SYSLOG,
	VERSION_WANTED,
	HELP,
	OPTIONS
};

/* An option with a max is a number from min to max; one without an argument is
 * a flag; the others are texts. */
static const struct row {
	char letter; /* 0: it has only a name */
	const char *name;
	const char *argument;
	const char *help;
	uint64_t min, max, initial;
} rows[OPTIONS] = {
    [LISTEN] = {'l', "listen", "ADDR",
	"listen at HOST:PORT, [IPv6]:PORT, :PORT or unix:PATH"},
    [CONCURRENCY] = {'c', "concurrency", "N",
	"connections at once when listening (100)", 1, 100000, 100},
    [PER_CLIENT] = {0, "per-client", "N",
	"connections at once from one address (0: no limit)", 0, 100000, 0},
    [USER] = {'U', "user", "USER[:GROUP]",
	"who to become when started as root (nobody)"},
    [NOSETUID] = {'n', "nosetuid", NULL, "stay root"},
    [TIMEOUT] = {'t', "timeout", "SECONDS", "longest wait for the client (300)",
	1, SECONDS_MAX, 300},
    [SESSION_TIMEOUT] = {0, "session-timeout", "SECONDS",
	"longest session (3600; 0: none)", 0, SECONDS_MAX, 3600},
    [COMMAND_TIMEOUT] = {0, "command-timeout", "SECONDS",
	"longest run of the command (540)", 1, SECONDS_MAX, 540},
    [HOSTNAME] = {0, "hostname", "NAME", "own name (the host's name)"},
    [SIZE] = {'s', "size", "BYTES", "largest message (33554432; 0: no limit)",
	0, UINT64_MAX, 33554432},
    [UTF8] = {'u', "smtputf8", NULL, "offer SMTPUTF8"},
    [BARE_NEWLINE] = {'b', "bare-newline", "POLICY",
	"reject (default) or normalize a bare LF"},
    [CRLF] = {'C', "crlf", NULL, "hand messages over with CRLF line ends"},
    [NO_RECEIVED] = {0, "no-received", NULL, "add no Received: line"},
    [DOMAIN] = {'D', "domain", "DOMAIN",
	"take recipients in DOMAIN, .DOMAIN or @FILE"},
    [RELAY_FROM] = {'r', "relay-from", "CIDR",
	"clients that may send to any recipient"},
    [NO_TRUST] = {0, "no-trust", NULL, "nobody is trusted for being local"},
    [ANY] = {'A', "any", NULL, "anyone may send to any recipient"},
    [MAX_RECIPIENTS] = {0, "max-recipients", "N", "recipients a message (1000)",
	1, COUNT_MAX, 1000},
    [MAX_MESSAGES] = {0, "max-messages", "N",
	"messages a connection (0: no limit)", 0, COUNT_MAX, 0},
    [MAX_ERRORS] = {0, "max-errors", "N",
	"refused commands before the end (20; 0: no limit)", 0, COUNT_MAX, 20},
    [MAX_HOPS] = {0, "max-hops", "N",
	"Received: lines a message may arrive with (100)", 0, COUNT_MAX, 100},
    [DEBUG] = {'d', "debug", NULL, "log every line of the dialogue"},
    [QUIET] = {'q', "quiet", NULL, "log errors only"},
    [SYSLOG] = {0, "syslog", NULL, "log to syslog(3), facility mail"},
    [VERSION_WANTED] = {'V', "version", NULL, "print the version"},
    [HELP] = {'h', "help", NULL, "print this"},
};

/* What was given. */
static struct {
	uint64_t number[OPTIONS];
	const char *text[OPTIONS];
	bool given[OPTIONS];
	const char *listen[LISTEN_MAX];
	size_t listen_count;
} options;

static struct settings settings;
static struct listener listener;

static int
print_help(void)
{
	printf("usage: smtpd [options] [--] [command [argument ...]]\n");
	for (size_t i = 0; i < OPTIONS; i++) {
		const struct row *row = &rows[i];
		char name[40];

		(void)snprintf(name, sizeof name, "--%s%s%s", row->name,
		    row->argument ? " " : "",
		    row->argument ? row->argument : "");
		printf("  %c%c%c %-27s %s\n", row->letter ? '-' : ' ',
		    row->letter ? row->letter : ' ', row->letter ? ',' : ' ',
		    name, row->help);
	}
	return fflush(stdout) == 0 ? EX_OK : EX_IOERR;
}

static int
print_version(void)
{
	printf("smtpd %s\n", VERSION);
	return fflush(stdout) == 0 ? EX_OK : EX_IOERR;
}

static bool
bad_value(enum name name, const char *value)
{
	log_error("--%s: bad value \"%s\", want %s (smtpd --help lists the "
		  "options)",
	    rows[name].name, value, rows[name].argument);
	return false;
}

static bool
take_option(enum name name, const char *value)
{
	const struct row *row = &rows[name];

	options.given[name] = true;
	options.text[name] = value;
	if (row->max > 0 && (!number_parse(value, strlen(value), row->max,
				 &options.number[name]) ||
				options.number[name] < row->min))
		return bad_value(name, value);
	switch (name) {
	case LISTEN:
		if (options.listen_count == LISTEN_MAX)
			return bad_value(name, value);
		options.listen[options.listen_count++] = value;
		return true;
	case HOSTNAME:
		return domain_valid(value, strlen(value), false) ||
		       bad_value(name, value);
	case BARE_NEWLINE:
		return strcmp(value, "reject") == 0 ||
		       strcmp(value, "normalize") == 0 ||
		       bad_value(name, value);
	case DOMAIN:
		return policy_add_domain(&settings.policy, value);
	case RELAY_FROM:
		return policy_add_network(&settings.policy, value) ||
		       bad_value(name, value);
	default:
		return true;
	}
}

/* getopt_long's tables, made of ours; OPTIONS + 1 names, the last empty. */
static void
make_tables(char *letters, struct option *names)
{
	*letters++ = '+'; /* the command's options are its own */
	*letters++ = ':';
	for (int i = 0; i < OPTIONS; i++) {
		const struct row *row = &rows[i];

		names[i] = (struct option){
		    .name = row->name,
		    .has_arg = row->argument ? required_argument : no_argument,
		    .val = row->letter ? row->letter : 256 + i,
		};
		if (row->letter)
			*letters++ = row->letter;
		if (row->letter && row->argument)
			*letters++ = ':';
	}
	*letters = '\0';
}

static enum name
name_of(int value)
{
	int name = 0;

	if (value >= 256)
		return (enum name)(value - 256);
	while (rows[name].letter != value)
		name++;
	return (enum name)name;
}

static bool
parse(int argc, char **argv)
{
	char letters[2 * OPTIONS + 3];
	struct option names[OPTIONS + 1] = {{0}};
	int found;

	for (int i = 0; i < OPTIONS; i++)
		options.number[i] = rows[i].initial;
	make_tables(letters, names);
	opterr = 0;
	while ((found = getopt_long(argc, argv, letters, names, NULL)) != -1) {
		if (found == ':') {
			log_error("%s needs a value (smtpd --help lists the "
				  "options)",
			    argv[optind - 1]);
			return false;
		}
		if (found == '?') {
			char letter[] = {'-', (char)optopt, '\0'};

			log_error("unknown option %s (smtpd --help lists the "
				  "options)",
			    optopt > 0 && optopt < 256 ? letter
						       : argv[optind - 1]);
			return false;
		}
		if (!take_option(name_of(found), optarg))
			return false;
	}
	return true;
}

/* The host's name, if it is one that may stand in a reply. */
static const char *
own_name(void)
{
	static char name[ADDRESS_DOMAIN_MAX + 1];

	if (options.text[HOSTNAME])
		return options.text[HOSTNAME];
	if (gethostname(name, sizeof name - 1) != 0 ||
	    !domain_valid(name, strlen(name), false)) {
		log_error("the host's name cannot be used (--hostname gives "
			  "another): calling it localhost");
		return "localhost";
	}
	return name;
}

static void
settle(void)
{
	const uint64_t *number = options.number;
	const char *newline = options.text[BARE_NEWLINE];

	settings.smtp = (struct smtp_config){
	    .hostname = own_name(),
	    .size_max = number[SIZE],
	    .recipients_max = (size_t)number[MAX_RECIPIENTS],
	    .messages_max = (size_t)number[MAX_MESSAGES],
	    .errors_max = (size_t)number[MAX_ERRORS],
	    .hops_max = (size_t)number[MAX_HOPS],
	    .limit_hops = true,
	    .utf8 = options.given[UTF8],
	    .crlf = options.given[CRLF],
	    .newline = newline && strcmp(newline, "normalize") == 0
			   ? DATA_NORMALIZE
			   : DATA_REJECT,
	};
	settings.timeout = (int)number[TIMEOUT];
	settings.session_timeout = (int)number[SESSION_TIMEOUT];
	settings.command_timeout = (int)number[COMMAND_TIMEOUT];
	settings.received = !options.given[NO_RECEIVED];
	settings.trust = !options.given[NO_TRUST];
	settings.debug = options.given[DEBUG];
	settings.policy.any = options.given[ANY];
	policy_sort(&settings.policy);
	listener.concurrency = (int)number[CONCURRENCY];
	listener.per_client = (int)number[PER_CLIENT];
}

/* The command, or smtpd-print, on PATH or in smtpd's own directory. */
static void
set_command(char **arguments)
{
	static char print[] = "smtpd-print", directory[COMMAND_PATH_MAX];
	static char *by_default[] = {print, NULL};
	ssize_t n;
	char *slash;

	settings.command.arguments = *arguments ? arguments : by_default;
	if (*arguments)
		return;
	n = readlink("/proc/self/exe", directory, sizeof directory - 1);
	slash = n > 0 ? strrchr(directory, '/') : NULL;
	if (slash) {
		*slash = '\0';
		settings.command.beside = directory;
	}
}

/* Options that others, or the launcher, leave without effect. */
static void
mention_useless(void)
{
	static const struct {
		enum name useless, because;
	} pairs[] = {
	    {USER, NOSETUID},
	    {DOMAIN, ANY},
	    {RELAY_FROM, ANY},
	    {NO_TRUST, ANY},
	    {DEBUG, QUIET},
	};

	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
		if (options.given[pairs[i].useless] &&
		    options.given[pairs[i].because])
			log_error("--%s has no effect with --%s",
			    rows[pairs[i].useless].name,
			    rows[pairs[i].because].name);
	if (listener.count > 0)
		return;
	if (options.given[CONCURRENCY])
		log_error("--concurrency has no effect: not listening");
	if (options.given[PER_CLIENT])
		log_error("--per-client has no effect: not listening");
}

/* Descriptors from a launcher by sd_listen_fds(3); how many. */
static int
launched_descriptors(void)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
	uint64_t number;

	if (!pid || !fds ||
	    !number_parse(pid, strlen(pid), INT32_MAX, &number) ||
	    (pid_t)number != getpid() ||
	    !number_parse(fds, strlen(fds), LISTEN_MAX, &number))
		return 0;
	return (int)number;
}

/* Where stderr is the client, the log may not go there. */
static void
open_log(int handed)
{
	bool client = io_same_socket(2, 0) || io_same_socket(2, 1);

	for (int i = 0; i < handed; i++)
		client = client || io_same_socket(2, LISTEN_FDS_START + i);
	log_open("smtpd", client || fcntl(2, F_GETFD) < 0);
}

static bool
replace(int descriptor, int by)
{
	return dup2(by, descriptor) == descriptor;
}

/* Sorts what the launcher left: listening sockets go to the listener, a
 * connected one becomes 0 and 1, all else is closed. */
static bool
take_descriptors(int handed)
{
	int keep[LISTEN_MAX + 1], null;
	size_t count = 0;
	bool listening = io_is_listening(0);

	for (int i = 0; i < handed; i++)
		keep[count++] = LISTEN_FDS_START + i;
	io_close_others(keep, count);
	if (!io_occupy())
		return false;
	for (size_t i = 0; i < count; i++) {
		if (io_is_listening(keep[i])) {
			if (!listen_take(&listener, keep[i]))
				return false;
			continue;
		}
		if (io_is_socket(keep[i]) &&
		    (!replace(0, keep[i]) || !replace(1, keep[i])))
			return false;
		(void)close(keep[i]); /* it lives on as 0, or is no socket */
	}
	if (!listening)
		return true;
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	keep[0] = fcntl(0, F_DUPFD_CLOEXEC, 3);
	if (null < 0 || keep[0] < 0 || !listen_take(&listener, keep[0]))
		return false;
	for (int i = 0; i <= 2; i++)
		if (io_same_socket(i, keep[0]) && !replace(i, null))
			return false;
	(void)close(null); /* its copies stay */
	return true;
}

static int
open_listeners(void)
{
	for (size_t i = 0; i < options.listen_count; i++) {
		bool usage;

		if (listen_open(&listener, options.listen[i], &usage))
			continue;
		if (!usage)
			return EX_OSERR;
		(void)bad_value(LISTEN, options.listen[i]);
		return EX_USAGE;
	}
	return EX_OK;
}

static bool
become_user(void)
{
	if (options.given[NOSETUID])
		return true;
	if (options.given[USER])
		return user_become(options.text[USER]);
	return geteuid() != 0 || user_become("nobody");
}

static int
serve(void)
{
	bool launched = listener.count == 0;
	int client;

	if (!launched) {
		client = listen_run(&listener);
		if (client < 0)
			return EX_OK;
		if (!replace(0, client) || !replace(1, client))
			return EX_OSERR;
		(void)close(client); /* it lives on as 0 */
	}
	return agent_run(&settings, launched);
}

int
main(int argc, char **argv)
{
	int handed = launched_descriptors(), status;

	open_log(handed);
	if (!parse(argc, argv))
		return EX_USAGE;
	if (options.given[HELP])
		return print_help();
	if (options.given[VERSION_WANTED])
		return print_version();
	if (options.given[SYSLOG])
		log_open("smtpd", true);
	log_quiet(options.given[QUIET]);
	if (!take_descriptors(handed)) {
		log_error("cannot sort the descriptors: %s", strerror(errno));
		return EX_OSERR;
	}
	settle();
	status = open_listeners();
	if (status != EX_OK)
		return status;
	mention_useless();
	if (!become_user())
		return EX_CONFIG;
	set_command(argv + optind);
	(void)command_find(&settings.command); /* which says what is wrong */
	return serve();
}
