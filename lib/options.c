#include "options.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "log.h"
#include "number.h"
#include "paged.h"

/* Longer times would overflow poll(2)'s milliseconds. */
#define SECONDS_MAX 2000000
#define COUNT_MAX 1000000000

/* An option with a max is a number from min to max; one without an argument is
 * a flag; the others are texts. */
static const struct row {
	char letter; /* 0: it has only a name */
	const char *name;
	const char *argument;
	const char *help;
	const char *zero; /* what 0 means, if it means something else */
	uint64_t min, max, initial;
} rows[OPTIONS] = {
    [OPTION_LISTEN] = {'l', "listen", "ADDR",
	"listen at [HOST]:PORT or unix:PATH", NULL, 0, 0, 0},
    [OPTION_CONCURRENCY] = {'c', "concurrency", "N",
	"connections at once when listening", NULL, 1, 100000, 100},
    [OPTION_PER_CLIENT] = {0, "per-client", "N", "connections from one address",
	"no limit", 0, 100000, 0},
    [OPTION_USER] = {'U', "user", "USER[:GROUP]",
	"who to become when started as root (nobody)", NULL, 0, 0, 0},
    [OPTION_NOSETUID] = {'n', "nosetuid", NULL, "stay root", NULL, 0, 0, 0},
    [OPTION_PROXY] = {'p', "proxy-protocol", NULL,
	"a PROXY header comes first, and names the peer", NULL, 0, 0, 0},
    [OPTION_PROXY_FROM] = {0, "proxy-from", "CIDR",
	"who may send that header (loopback)", NULL, 0, 0, 0},
    [OPTION_XCLIENT] = {0, "xclient", "CIDR", "peers that may send XCLIENT",
	NULL, 0, 0, 0},
    [OPTION_TIMEOUT] = {'t', "timeout", "SECONDS",
	"longest wait for the client", NULL, 1, SECONDS_MAX, 300},
    [OPTION_SESSION_TIMEOUT] = {0, "session-timeout", "SECONDS",
	"longest session", "none", 0, SECONDS_MAX, 3600},
    [OPTION_MIN_RATE] = {0, "min-rate", "OCTETS",
	"slowest message data a second", "any", 0, COUNT_MAX, 100},
    [OPTION_COMMAND_TIMEOUT] = {0, "command-timeout", "SECONDS",
	"longest run of the command or of a hook", NULL, 1, SECONDS_MAX, 540},
    [OPTION_LMTP] = {'L', "lmtp", NULL, "speak LMTP", NULL, 0, 0, 0},
    [OPTION_HOSTNAME] = {0, "hostname", "NAME", "own name (the host's name)",
	NULL, 0, 0, 0},
    [OPTION_SIZE] = {'s', "size", "BYTES", "largest message", "no limit", 0,
	UINT64_MAX, 33554432},
    [OPTION_UTF8] = {'u', "smtputf8", NULL, "offer SMTPUTF8", NULL, 0, 0, 0},
    [OPTION_BARE_NEWLINE] = {'b', "bare-newline", "POLICY",
	"reject (default) or normalize a bare LF", NULL, 0, 0, 0},
    [OPTION_CRLF] = {'C', "crlf", NULL,
	"hand messages over with CRLF line ends", NULL, 0, 0, 0},
    [OPTION_NO_RECEIVED] = {0, "no-received", NULL, "add no Received: line",
	NULL, 0, 0, 0},
    [OPTION_DOMAIN] = {'D', "domain", "DOMAIN",
	"take recipients in DOMAIN, .DOMAIN or @FILE", NULL, 0, 0, 0},
    [OPTION_RELAY_FROM] = {'r', "relay-from", "CIDR",
	"clients that may send to any recipient", NULL, 0, 0, 0},
    [OPTION_NO_TRUST] = {0, "no-trust", NULL,
	"nobody is trusted for being local", NULL, 0, 0, 0},
    [OPTION_ANY] = {'A', "any", NULL, "anyone may send to any recipient", NULL,
	0, 0, 0},
    [OPTION_AUTH] = {'a', "auth", "COMMAND",
	"offer AUTH; COMMAND checks by checkpassword", NULL, 0, 0, 0},
    [OPTION_AUTH_PLAINTEXT] = {0, "auth-plaintext", NULL,
	"offer AUTH before TLS, too", NULL, 0, 0, 0},
    [OPTION_AUTH_CRAM] = {0, "auth-cram-md5", NULL, "offer CRAM-MD5, too", NULL,
	0, 0, 0},
    [OPTION_TLSWRAPPER] = {0, "tlswrapper", NULL,
	"offer STARTTLS by tlswrapper -n", NULL, 0, 0, 0},
    [OPTION_TLS] = {0, "tls", NULL, "the connection is encrypted already", NULL,
	0, 0, 0},
    [OPTION_REQUIRE_AUTH] = {0, "require-auth", NULL, "no mail before AUTH",
	NULL, 0, 0, 0},
    [OPTION_REQUIRE_TLS] = {0, "require-tls", NULL, "no mail before TLS", NULL,
	0, 0, 0},
    [OPTION_REQUIRE_SANDBOX] = {0, "require-sandbox", NULL,
	"refuse to run where the system offers none", NULL, 0, 0, 0},
    [OPTION_HOOKS] = {'H', "hooks", "DIR",
	"programs run at each step of the dialogue", NULL, 0, 0, 0},
    [OPTION_SINGLE] = {'1', "single", NULL, "one recipient a message", NULL, 0,
	0, 0},
    [OPTION_MAX_RECIPIENTS] = {0, "max-recipients", "N", "recipients a message",
	NULL, 1, COUNT_MAX, 1000},
    [OPTION_MAX_MESSAGES] = {0, "max-messages", "N", "messages a connection",
	"no limit", 0, COUNT_MAX, 0},
    [OPTION_MAX_ERRORS] = {0, "max-errors", "N", "errors before the end",
	"no limit", 0, COUNT_MAX, 20},
    [OPTION_MAX_HOPS] = {0, "max-hops", "N", "Received: lines on arrival", NULL,
	0, COUNT_MAX, 100},
    [OPTION_HIDE] = {0, "hide", "KEYWORD",
	"an extension to leave out of the EHLO reply", NULL, 0, 0, 0},
    [OPTION_DEBUG] = {'d', "debug", NULL, "log every line of the dialogue",
	NULL, 0, 0, 0},
    [OPTION_QUIET] = {'q', "quiet", NULL, "log errors only", NULL, 0, 0, 0},
    [OPTION_SYSLOG] = {0, "syslog", NULL, "log to syslog(3), facility mail",
	NULL, 0, 0, 0},
    [OPTION_VERSION] = {'V', "version", NULL, "print the version", NULL, 0, 0,
	0},
    [OPTION_HELP] = {'h', "help", NULL, "print this", NULL, 0, 0, 0},
};

/* What was given. */
static SETTLED struct {
	uint64_t number[OPTIONS];
	const char *text[OPTIONS];
	bool given[OPTIONS];
} options;

/* Appends to text[0..size), of which length octets are written; the new
 * length. What has no room is left out. */
__attribute__((format(printf, 4, 5))) static size_t
append(char *text, size_t size, size_t length, const char *format, ...)
{
	va_list arguments;
	int n;

	va_start(arguments, format);
	n = vsnprintf(text + length, size - length, format, arguments);
	va_end(arguments);
	if (n >= 0 && (size_t)n < size - length)
		return length + (size_t)n;
	text[length] = '\0';
	return length;
}

/* The default of a number, and what 0 means. */
static size_t
append_default(const struct row *row, char *text, size_t size, size_t length)
{
	unsigned long long initial = row->initial;

	if (row->max == 0)
		return length;
	if (row->zero && initial == 0)
		return append(text, size, length, " (0: %s)", row->zero);
	if (row->zero)
		return append(
		    text, size, length, " (%llu; 0: %s)", initial, row->zero);
	return append(text, size, length, " (%llu)", initial);
}

size_t
options_describe(char *text, size_t size)
{
	size_t length = 0;

	for (size_t i = 0; i < OPTIONS; i++) {
		const struct row *row = &rows[i];
		char name[40];

		(void)snprintf(name, sizeof name, "--%s%s%s", row->name,
		    row->argument ? " " : "",
		    row->argument ? row->argument : "");
		length = append(text, size, length, "  %c%c%c %-27s %s",
		    row->letter ? '-' : ' ', row->letter ? row->letter : ' ',
		    row->letter ? ',' : ' ', name, row->help);
		length = append_default(row, text, size, length);
		length = append(text, size, length, "\n");
	}
	return length;
}

bool
option_bad(enum option_name name, const char *value)
{
	const struct row *row = &rows[name];
	unsigned long long min = row->min, max = row->max;

	if (row->max > 0)
		log_error("--%s: bad value \"%s\", want a number from %llu to "
			  "%llu",
		    row->name, value, min, max);
	else
		log_error("--%s: bad value \"%s\", want %s: %s", row->name,
		    value, row->argument, row->help);
	return false;
}

/* Keeps a value; a number is checked. */
static bool
keep(enum option_name name, const char *value)
{
	const struct row *row = &rows[name];

	options.given[name] = true;
	options.text[name] = value;
	if (row->max == 0)
		return true;
	return (number_parse(
		    value, strlen(value), row->max, &options.number[name]) &&
		   options.number[name] >= row->min) ||
	       option_bad(name, value);
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

static enum option_name
name_of(int value)
{
	int name = 0;

	if (value >= 256)
		return (enum option_name)(value - 256);
	while (rows[name].letter != value)
		name++;
	return (enum option_name)name;
}

/* The long name of the option that getopt_long() stumbled over, if it is one
 * of ours. */
static const char *
stumbled_over(void)
{
	for (int i = 0; i < OPTIONS; i++)
		if (optopt == 256 + i ||
		    (optopt != 0 && optopt == rows[i].letter))
			return rows[i].name;
	return NULL;
}

/* An option that getopt_long() would not take, in argument, as it was typed.
 * Returns false. */
static bool
misused(int found, const char *argument)
{
	const char *name = stumbled_over();
	char letter[] = {'-', (char)optopt, '\0'};

	if (found == ':')
		log_error("%s: a value is missing (smtpd --help lists the "
			  "options)",
		    argument);
	else if (name)
		log_error("%s: --%s takes no value (smtpd --help lists the "
			  "options)",
		    argument, name);
	else
		log_error("unknown or ambiguous option %s (smtpd --help lists "
			  "the options)",
		    optopt > 0 && optopt < 256 ? letter : argument);
	return false;
}

bool
options_parse(int argc, char **argv, int *command,
    bool (*take)(enum option_name name, const char *value))
{
	char letters[2 * OPTIONS + 3];
	struct option names[OPTIONS + 1] = {{0}};
	int found;

	for (int i = 0; i < OPTIONS; i++)
		options.number[i] = rows[i].initial;
	make_tables(letters, names);
	opterr = 0;
	while ((found = getopt_long(argc, argv, letters, names, NULL)) != -1) {
		/* What lacks a value stands last. */
		if (found == ':')
			return misused(found, argv[argc - 1]);
		if (found == '?')
			return misused(found, argv[optind - 1]);
		if (!keep(name_of(found), optarg) ||
		    !take(name_of(found), optarg))
			return false;
	}
	*command = optind;
	return true;
}

bool
option_given(enum option_name name)
{
	return options.given[name];
}

uint64_t
option_number(enum option_name name)
{
	return options.number[name];
}

const char *
option_text(enum option_name name)
{
	return options.text[name];
}

const char *
option_long(enum option_name name)
{
	return rows[name].name;
}
