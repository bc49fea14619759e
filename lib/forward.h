/* What programs that hand mail on have in common: their options for it, and
 * how they tell the client and the log; opens no connection. */
#ifndef SMTPD_FORWARD_H
#define SMTPD_FORWARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "credentials.h"
#include "upstream.h"

/* Seconds for all of it: less than smtpd's --command-timeout, which is less
 * than clients wait. */
#define FORWARD_TIMEOUT 500

/* Rows of getopt_long(3), their letters, and their lines of --help. */
/* clang-format off */
#define FORWARD_OPTIONS \
	{"auth-file", required_argument, NULL, 'a'}, \
	{"auth-plaintext", no_argument, NULL, 'p'}, \
	{"hostname", required_argument, NULL, 'n'}, \
	{"timeout", required_argument, NULL, 't'}, \
	{"version", no_argument, NULL, 'V'}, \
	{"help", no_argument, NULL, 'h'}
/* clang-format on */
#define FORWARD_LETTERS "a:pn:t:Vh"
#define FORWARD_USAGE \
	"  -a, --auth-file FILE  log in with the line user:password in FILE\n" \
	"  -p, --auth-plaintext  log in over a network, too\n" \
	"  -n, --hostname NAME   our name in EHLO (SMTP_HOSTNAME)\n" \
	"  -t, --timeout SECONDS longest run (500)\n" \
	"  -V, --version         print the version and exit\n" \
	"  -h, --help            print this and exit\n"

/* = {.program = …, .timeout = FORWARD_TIMEOUT} begins one. */
struct forward {
	const char *program; /* speaks on standard error */
	const char *auth_file;
	uint64_t timeout;
	struct upstream_settings settings;
	struct credentials credentials;
};

/* Takes one of FORWARD_OPTIONS but the last two; false if its argument is
 * bad. The argument is lent for good. */
bool forward_option(struct forward *forward, int option, char *argument);

/*
 * After the options: takes care that 1 and 2 are open, reads the credentials,
 * fills in the settings, ignores SIGPIPE. Returns 0 or, with a line on standard
 * error, the exit status.
 */
int forward_begin(struct forward *forward);

/* Says on standard error what is wrong, in one write; returns status. */
int forward_complain(
    const struct forward *forward, const char *what, const char *why, int);

/* Says there what has gone wrong with place, whose name trouble may begin with
 * (struct dial). */
void forward_trouble(
    const struct forward *forward, const char *place, const char *trouble);

/* The same of a session with it, if anything has gone wrong. */
void forward_note(const struct forward *forward, const char *place,
    const struct upstream *upstream);

/*
 * Prints a reply (or, with length 0, nothing). One that cannot be printed is
 * left to the exit status, which says no more and no less than its class.
 */
void forward_print(
    const struct forward *forward, const char *reply, size_t length);

/* The exit status beside a reply of that code, which lets it stand and means
 * the same without it (smtpd-delivery(7)). */
int forward_status(int code);

/* Prints what --version and --help ask for; returns the exit status. */
int forward_tell(const struct forward *forward, const char *text);

#endif
