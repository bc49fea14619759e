/* The command line: a table of options, and what was given of them. */
#ifndef SMTPD_OPTIONS_H
#define SMTPD_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum option_name {
	OPTION_LISTEN,
	OPTION_CONCURRENCY,
	OPTION_PER_CLIENT,
	OPTION_USER,
	OPTION_NOSETUID,
	OPTION_PROXY,
	OPTION_PROXY_FROM,
	OPTION_XCLIENT,
	OPTION_TIMEOUT,
	OPTION_SESSION_TIMEOUT,
	OPTION_MIN_RATE,
	OPTION_COMMAND_TIMEOUT,
	OPTION_LMTP,
	OPTION_HOSTNAME,
	OPTION_SIZE,
	OPTION_UTF8,
	OPTION_BARE_NEWLINE,
	OPTION_CRLF,
	OPTION_NO_RECEIVED,
	OPTION_DOMAIN,
	OPTION_RELAY_FROM,
	OPTION_NO_TRUST,
	OPTION_ANY,
	OPTION_AUTH,
	OPTION_AUTH_PLAINTEXT,
	OPTION_AUTH_CRAM,
	OPTION_TLSWRAPPER,
	OPTION_TLS,
	OPTION_REQUIRE_AUTH,
	OPTION_REQUIRE_TLS,
	OPTION_REQUIRE_SANDBOX,
	OPTION_HOOKS,
	OPTION_SINGLE,
	OPTION_MAX_RECIPIENTS,
	OPTION_MAX_MESSAGES,
	OPTION_MAX_ERRORS,
	OPTION_MAX_HOPS,
	OPTION_HIDE,
	OPTION_DEBUG,
	OPTION_QUIET,
	OPTION_SYSLOG,
	OPTION_VERSION,
	OPTION_HELP,
	OPTIONS
};

/*
 * Reads the options up to the command, whose place in argv *command becomes.
 * Each is handed to take as it is met, numbers after they were checked; take
 * may refuse it, having logged why. False, with the reason logged, for bad
 * usage.
 */
bool options_parse(int argc, char **argv, int *command,
    bool (*take)(enum option_name name, const char *value));

/* What was given, or the default. */
bool option_given(enum option_name name);
uint64_t option_number(enum option_name name);
const char *option_text(enum option_name name); /* the last; NULL: none */

/* The long name, without hyphens. */
const char *option_long(enum option_name name);

/* Logs that a value is not what the option wants; returns false. */
bool option_bad(enum option_name name, const char *value);

/* Writes a line for each option to text[0..size), with a NUL; returns the
 * octets before it. */
size_t options_describe(char *text, size_t size);

#endif
