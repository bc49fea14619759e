#include "starttls.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "clock.h"
#include "io.h"
#include "log.h"
#include "number.h"
#include "paged.h"
#include "signals.h"
#include "text.h"

/* tlswrapper's. */
#define CONTROL 5
#define ANSWER 6

/* Milliseconds: how long the client has to be quiet before the older tlswrapper
 * is told to begin, which passes on all plain text that it can have before it
 * looks at descriptor 5; the same of a client that has not waited, whose text
 * may lie where a busy machine has not yet got to it; and how long to wait for
 * that. */
#define QUIET 50
#define QUIET_AGAIN 500
#define DRAIN 2000

/* Milliseconds that the older tlswrapper needs for a handshake at the least: 45
 * were measured, and a client sends nothing before that is over. What comes
 * sooner is plain text. */
#define HANDSHAKE 10

/* Octets of the variables that a UCSPI-TLS parent answers with. */
#define VARIABLES_OCTETS 65536

static bool
is_open(int descriptor)
{
	return fcntl(descriptor, F_GETFD) >= 0;
}

/* The descriptor that a variable names; -1 if there is none that is open. */
static int
named(const char *variable)
{
	const char *text = getenv(variable);
	uint64_t number;

	if (!text)
		return -1;
	if (number_parse(text, strlen(text), 65535, &number) && number > 2 &&
	    is_open((int)number))
		return (int)number;
	log_error("%s=%s is no open descriptor: no STARTTLS", variable, text);
	return -1;
}

static void
find_wrapper(struct starttls *starttls)
{
	if (!is_open(CONTROL)) {
		log_error("--tlswrapper has no effect: descriptor 5 is not "
			  "open (tlswrapper -n opens it)");
		return;
	}
	starttls->kind =
	    is_open(ANSWER) ? STARTTLS_WRAPPER_ACK : STARTTLS_WRAPPER;
	starttls->control = CONTROL;
	starttls->answer = ANSWER;
	starttls->in = 0;
	starttls->out = 1;
}

void
starttls_find(struct starttls *starttls, bool tlswrapper)
{
	starttls->kind = STARTTLS_NONE;
	if (tlswrapper) {
		find_wrapper(starttls);
		return;
	}
	if (!getenv("SSLCTLFD"))
		return;
	starttls->control = named("SSLCTLFD");
	starttls->in = named("SSLREADFD");
	starttls->out = named("SSLWRITEFD");
	if (starttls->control > 2 && starttls->in > 2 && starttls->out > 2)
		starttls->kind = STARTTLS_UCSPI;
}

size_t
starttls_descriptors(const struct starttls *starttls, int keep[4])
{
	size_t count = 0;

	if (starttls->kind != STARTTLS_NONE)
		keep[count++] = starttls->control;
	if (starttls->kind == STARTTLS_WRAPPER_ACK)
		keep[count++] = starttls->answer;
	if (starttls->kind == STARTTLS_UCSPI) {
		keep[count++] = starttls->in;
		keep[count++] = starttls->out;
	}
	return count;
}

bool
starttls_says_reply(const struct starttls *starttls)
{
	return starttls->kind != STARTTLS_UCSPI;
}

void
starttls_describe(
    const char *protocol, const char *cipher, char about[STARTTLS_ABOUT_MAX])
{
	bool both = protocol && *protocol && cipher && *cipher;

	(void)snprintf(about, STARTTLS_ABOUT_MAX, "%s%s%s",
	    protocol && *protocol ? protocol : "1", both ? " " : "",
	    both ? cipher : "");
	for (char *at = about; *at; at++)
		if (!text_is_print(*at))
			*at = '?';
}

/* Waits until there is something to read; false if the time is up, or smtpd is
 * told to stop: there is no message in hand. */
static bool
wait_for(int descriptor, int64_t until)
{
	struct pollfd polled = {.fd = descriptor, .events = POLLIN};

	for (;;) {
		int64_t left = until - clock_now();
		int ready;

		if (left < 0)
			left = 0;
		ready = signals_wait(&polled, 1, (int)left);
		if (ready > 0)
			return true;
		if (left == 0 || signals_stops() > 0 ||
		    (ready < 0 && errno != EINTR))
			return false;
	}
}

/* Throws away what lies in the pipe that will carry what is decrypted, until
 * nothing has come for quiet milliseconds. False if it does not end, or smtpd
 * is told to stop. */
static bool
drain(int descriptor, int quiet)
{
	int64_t until = clock_now() + DRAIN;
	char octets[4096];

	while (wait_for(descriptor, clock_now() + quiet)) {
		if (read(descriptor, octets, sizeof octets) <= 0)
			return true; /* which the dialogue will notice */
		if (quiet > 0)
			quiet = QUIET_AGAIN;
		if (clock_now() > until)
			return false;
	}
	return signals_stops() == 0;
}

/* The variable of that name among "NAME=value" NUL ... NUL. */
static const char *
variable(const char *text, size_t length, const char *name)
{
	size_t n = strlen(name);

	for (size_t at = 0; at < length; at += strlen(text + at) + 1)
		if (strncmp(text + at, name, n) == 0 && text[at + n] == '=')
			return text + at + n + 1;
	return NULL;
}

/* Asks for TLS and reads what is said of it: variables, each with a NUL, and an
 * empty one. The descriptor just ends where the handshake failed. */
static bool
begin_ucspi(int control, int64_t until, char about[STARTTLS_ABOUT_MAX])
{
	static PAGED char text[VARIABLES_OCTETS];
	size_t length = 0;

	if (!io_write(control, "Y", 1))
		return false;
	/* Over at an empty variable: at a NUL that begins one. */
	while (!(length == 1 && text[0] == '\0') &&
	       !(length > 1 && text[length - 1] == '\0' &&
		   text[length - 2] == '\0')) {
		ssize_t n;

		if (length == sizeof text || !wait_for(control, until))
			return false;
		n = read(control, text + length, sizeof text - length);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		length += (size_t)n;
	}
	starttls_describe(variable(text, length, "SSL_PROTOCOL"),
	    variable(text, length, "SSL_CIPHER"), about);
	return true;
}

/* Throws away what comes until the answer does. What is there together with it
 * may be of either kind: false. */
static bool
drain_until_answer(const struct starttls *starttls, int64_t until)
{
	/* In this order: plain text that came before the answer is seen. */
	struct pollfd polled[] = {
	    {.fd = starttls->answer, .events = POLLIN},
	    {.fd = starttls->in, .events = POLLIN},
	};
	char octets[4096];

	for (;;) {
		int64_t left = until - clock_now();
		int ready = signals_wait(polled, 2, left > 0 ? (int)left : 0);

		if (ready > 0 && polled[0].revents)
			return !polled[1].revents &&
			       read(starttls->answer, octets, 1) == 1 &&
			       octets[0] == '\0';
		if (ready > 0 && read(starttls->in, octets, sizeof octets) <= 0)
			return false;
		if (left <= 0 || signals_stops() > 0)
			return false;
	}
}

/* The newer tlswrapper: the reply and the zero octet are there before it looks
 * again, or it would take the client's first octets of TLS for plain text. */
static bool
begin_acknowledged(
    struct starttls *starttls, const char *reply, size_t length, int64_t until)
{
	char octet = '\0';
	bool good = drain(starttls->in, 0) &&
		    io_write(starttls->out, reply, length) &&
		    io_write(starttls->control, &octet, 1) &&
		    drain_until_answer(starttls, until);

	(void)close(starttls->control); /* pipes: nothing to fail at */
	(void)close(starttls->answer);
	return good;
}

/* Throws away what comes until tlswrapper has read the reply, which it does
 * when nothing of the client's lies before it. */
static bool
drain_until_read(const struct starttls *starttls, int64_t until)
{
	char octets[4096];
	int unread;

	while (ioctl(starttls->control, FIONREAD, &unread) == 0 && unread > 0) {
		if (clock_now() > until || signals_stops() > 0)
			return false;
		if (wait_for(starttls->in, clock_now() + 1) &&
		    read(starttls->in, octets, sizeof octets) <= 0)
			return false;
	}
	return drain(starttls->in, 0);
}

/* The older tlswrapper, which says nothing when it begins: it passes plain text
 * on until it sees the end of descriptor 5, and decrypts nothing that soon. */
static bool
begin_unacknowledged(
    struct starttls *starttls, const char *reply, size_t length, int64_t until)
{
	return drain(starttls->in, starttls->hasty ? QUIET_AGAIN : QUIET) &&
	       io_write(starttls->control, reply, length) &&
	       drain_until_read(starttls, until) &&
	       close(starttls->control) == 0 &&
	       !wait_for(starttls->in, clock_now() + HANDSHAKE);
}

bool
starttls_begin(struct starttls *starttls, const char *reply, size_t length,
    int timeout, char about[STARTTLS_ABOUT_MAX])
{
	int64_t until = clock_now() + (int64_t)timeout * 1000;

	starttls_describe(NULL, NULL, about);
	if (starttls->kind == STARTTLS_UCSPI)
		return begin_ucspi(starttls->control, until, about);
	if (starttls->kind == STARTTLS_WRAPPER_ACK)
		return begin_acknowledged(starttls, reply, length, until);
	return begin_unacknowledged(starttls, reply, length, until);
}
