#include "forward.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "address.h"
#include "clock.h"
#include "io.h"
#include "number.h"

int
forward_complain(const struct forward *forward, const char *what,
    const char *why, int status)
{
	char line[1024];
	int length = snprintf(
	    line, sizeof line, "%s: %s: %s\n", forward->program, what, why);

	if (length >= (int)sizeof line) {
		length = (int)sizeof line - 1;
		line[length - 1] = '\n';
	}
	/* There is nowhere to complain about complaining. */
	if (length > 0 && write(STDERR_FILENO, line, (size_t)length) < 0)
		return status;
	return status;
}

void
forward_trouble(
    const struct forward *forward, const char *place, const char *trouble)
{
	size_t length = strlen(place);

	/* What connects says where, which may be an address of the place. */
	if (strncmp(trouble, place, length) == 0 &&
	    strncmp(trouble + length, ": ", 2) == 0)
		trouble += length + 2;
	(void)forward_complain(forward, place, trouble, 0);
}

void
forward_note(const struct forward *forward, const char *place,
    const struct upstream *upstream)
{
	if (upstream->trouble[0])
		forward_trouble(forward, place, upstream->trouble);
}

void
forward_print(const struct forward *forward, const char *reply, size_t length)
{
	if (length > 0 && !io_write(STDOUT_FILENO, reply, length))
		(void)forward_complain(
		    forward, "standard output", strerror(errno), 0);
}

int
forward_status(int code)
{
	if (code < 400)
		return EX_OK;
	return code >= 500 ? EX_UNAVAILABLE : EX_TEMPFAIL;
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

/* Sees to it that no connection is standard output or error, where a reply or
 * a complaint would be said to it; false with errno. */
static bool
occupy(void)
{
	bool reads = fcntl(STDIN_FILENO, F_GETFD) >= 0;

	if (!io_occupy())
		return false;
	/* /dev/null in its place would be an empty message. */
	if (!reads)
		(void)close(STDIN_FILENO);
	return true;
}

int
forward_begin(struct forward *forward)
{
	struct upstream_settings *settings = &forward->settings;
	struct credentials *credentials = &forward->credentials;

	if (!occupy())
		return forward_complain(
		    forward, "/dev/null", strerror(errno), EX_TEMPFAIL);
	if (forward->auth_file) {
		const char *why =
		    credentials_read(credentials, forward->auth_file);
		if (why)
			return forward_complain(
			    forward, forward->auth_file, why, EX_CONFIG);
		settings->client.user = credentials->user;
		settings->client.password = credentials->password;
	}
	/* A failed write is to be told from its errno. */
	if (signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		return forward_complain(
		    forward, "signal", strerror(errno), EX_TEMPFAIL);
	settings->client.name = own_name(settings->client.name);
	settings->utf8 = getenv("SMTP_UTF8") != NULL;
	settings->deadline = clock_now() + (int64_t)forward->timeout * 1000;
	return EX_OK;
}

int
forward_tell(const struct forward *forward, const char *text)
{
	if (io_write(STDOUT_FILENO, text, strlen(text)))
		return EX_OK;
	return forward_complain(
	    forward, "standard output", strerror(errno), EX_TEMPFAIL);
}

bool
forward_option(struct forward *forward, int option, char *argument)
{
	struct client_config *client = &forward->settings.client;

	switch (option) {
	case 'a':
		forward->auth_file = argument;
		return *argument;
	case 'p':
		forward->settings.auth_plaintext = true;
		return true;
	case 'n':
		client->name = argument;
		return domain_valid(argument, strlen(argument), false);
	case 't':
		return number_parse(argument, strlen(argument), 86400,
			   &forward->timeout) &&
		       forward->timeout > 0;
	default:
		return false;
	}
}
