/* smtpd: the SMTP server as a Unix filter. Options and set-up; lib/ has the
 * rest, and man/smtpd.8 says what it does. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "accept.h"
#include "address.h"
#include "agent.h"
#include "io.h"
#include "journal.h"
#include "launch.h"
#include "listen.h"
#include "log.h"
#include "options.h"
#include "paged.h"
#include "remark.h"
#include "sandbox.h"
#include "settings.h"
#include "user.h"

static SETTLED struct settings settings;
static struct listener listener;
static struct accept_limits limits;

/* Where to listen: opened when all options are known. */
static PAGED const char *listen_at[LISTEN_MAX];
static size_t listen_count;

/* The bits of smtp_keyword(), too. */
static unsigned hidden;

static bool
hide(const char *keyword)
{
	unsigned bit = smtp_keyword(keyword, strlen(keyword));

	hidden |= bit;
	return bit || option_bad(OPTION_HIDE, keyword);
}

/* What an option says that cannot wait, or be kept as the last of its kind. */
static bool
take_option(enum option_name name, const char *value)
{
	switch (name) {
	case OPTION_LISTEN:
		if (listen_count == LISTEN_MAX || !listen_spelt(value))
			return option_bad(name, value);
		listen_at[listen_count++] = value;
		return true;
	case OPTION_HOSTNAME:
		return domain_valid(value, strlen(value), false) ||
		       option_bad(name, value);
	case OPTION_BARE_NEWLINE:
		return strcmp(value, "reject") == 0 ||
		       strcmp(value, "normalize") == 0 ||
		       option_bad(name, value);
	case OPTION_DOMAIN:
		return policy_add_domain(&settings.policy, value);
	case OPTION_HIDE:
		return hide(value);
	case OPTION_RELAY_FROM:
		return networks_add(&settings.policy.networks, value) ||
		       option_bad(name, value);
	case OPTION_PROXY_FROM:
		return networks_add(&settings.proxies, value) ||
		       option_bad(name, value);
	case OPTION_XCLIENT:
		return networks_add(&settings.xclient, value) ||
		       option_bad(name, value);
	default:
		return true;
	}
}

/* The host's name, if it is one that may stand in a reply. */
static const char *
own_name(void)
{
	static SETTLED char name[ADDRESS_DOMAIN_MAX + 1];

	if (option_text(OPTION_HOSTNAME))
		return option_text(OPTION_HOSTNAME);
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
	const char *newline = option_text(OPTION_BARE_NEWLINE);

	settings.smtp = (struct smtp_config){
	    .hostname = own_name(),
	    .size_max = option_number(OPTION_SIZE),
	    .recipients_max = (size_t)option_number(OPTION_MAX_RECIPIENTS),
	    .messages_max = (size_t)option_number(OPTION_MAX_MESSAGES),
	    .errors_max = (size_t)option_number(OPTION_MAX_ERRORS),
	    .hops_max = (size_t)option_number(OPTION_MAX_HOPS),
	    .limit_hops = true,
	    .lmtp = option_given(OPTION_LMTP),
	    .utf8 = option_given(OPTION_UTF8),
	    .crlf = option_given(OPTION_CRLF),
	    .newline = newline && strcmp(newline, "normalize") == 0
			   ? DATA_NORMALIZE
			   : DATA_REJECT,
	};
	settings.smtp.hidden = hidden;
	if (option_given(OPTION_SINGLE))
		settings.smtp.recipients_max = 1;
	settings.timeout = (int)option_number(OPTION_TIMEOUT);
	settings.session_timeout = (int)option_number(OPTION_SESSION_TIMEOUT);
	settings.min_rate = option_number(OPTION_MIN_RATE);
	settings.command_timeout = (int)option_number(OPTION_COMMAND_TIMEOUT);
	settings.received = !option_given(OPTION_NO_RECEIVED);
	settings.trust = !option_given(OPTION_NO_TRUST);
	settings.proxy = option_given(OPTION_PROXY);
	settings.smtp.xclient = option_given(OPTION_XCLIENT);
	settings.debug = option_given(OPTION_DEBUG);
	settings.policy.any = option_given(OPTION_ANY);
	policy_sort(&settings.policy);
	limits.concurrency = (int)option_number(OPTION_CONCURRENCY);
	limits.per_client = (int)option_number(OPTION_PER_CLIENT);
}

/* The command, or smtpd-print, on PATH or in smtpd's own directory. */
static void
set_command(char **arguments)
{
	static PAGED char directory[COMMAND_PATH_MAX];
	static char print[] = "smtpd-print";
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

/* The hooks, as the user who will run them finds them. */
static bool
set_hooks(void)
{
	const char *directory = option_text(OPTION_HOOKS);

	if (!directory)
		return true;
	if (!hooks_read(&settings.hooks, directory)) {
		log_error("cannot note the hooks: %s", strerror(errno));
		return false;
	}
	settings.smtp.commands = settings.hooks.commands;
	settings.smtp.command_count = settings.hooks.command_count;
	return true;
}

/* Which TLS there is, or can be; a listener's own environment says nothing of
 * its connections. Returns the descriptors that it needs. */
static size_t
find_tls(bool listening, int keep[4])
{
	const char *protocol = getenv("SSL_PROTOCOL");
	struct smtp_config *smtp = &settings.smtp;

	settings.wrapped = option_given(OPTION_TLS);
	smtp->secure =
	    settings.wrapped || (!listening && protocol && *protocol);
	if (!listening && !smtp->secure)
		starttls_find(
		    &settings.starttls, option_given(OPTION_TLSWRAPPER));
	smtp->starttls = settings.starttls.kind != STARTTLS_NONE;
	return starttls_descriptors(&settings.starttls, keep);
}

/* Logins, when TLS and the hooks are known. */
static void
set_logins(void)
{
	static PAGED const char *names[HOOKS_MAX];
	struct smtp_config *smtp = &settings.smtp;
	size_t prefix = strlen(HOOKS_AUTH);

	settings.checker = option_text(OPTION_AUTH);
	smtp->auth = settings.checker;
	smtp->auth_cram = option_given(OPTION_AUTH_CRAM);
	smtp->auth_plaintext = option_given(OPTION_AUTH_PLAINTEXT);
	smtp->require_auth = option_given(OPTION_REQUIRE_AUTH);
	smtp->require_tls = option_given(OPTION_REQUIRE_TLS);
	smtp->mechanisms = names;
	for (size_t i = 0; i < settings.hooks.count; i++)
		if (strncmp(settings.hooks.hooks[i].name, HOOKS_AUTH, prefix) ==
		    0)
			names[smtp->mechanism_count++] =
			    settings.hooks.hooks[i].name + prefix;
}

static bool
open_listeners(void)
{
	for (size_t i = 0; i < listen_count; i++)
		if (!listen_open(&listener, listen_at[i]))
			return false;
	return true;
}

static bool
become_user(void)
{
	if (option_given(OPTION_NOSETUID))
		return true;
	if (option_given(OPTION_USER))
		return user_become(option_text(OPTION_USER), true);
	return geteuid() != 0 || user_become("nobody", false);
}

/* False if there is to be a sandbox, and is none. A listener says at its start
 * that there is none, and not at each connection. */
static bool
check_sandbox(void)
{
	settings.confined = option_given(OPTION_REQUIRE_SANDBOX);
	if ((listener.count == 0 && !settings.confined) || sandbox_offered())
		return true;
	settings.exposed = true;
	journal_exposed(errno, settings.confined);
	return !settings.confined;
}

/* True if what is run may need more rights than smtpd has: it has them by
 * set-user-ID, or may be given those of others by root. */
static bool
needs_rights(void)
{
	bool needed =
	    geteuid() == 0 || settings.checker ||
	    (settings.command.path && command_gains(settings.command.path));

	for (size_t i = 0; !needed && i < settings.hooks.count; i++)
		needed = command_gains(settings.hooks.hooks[i].path);
	return needed;
}

static int
serve(void)
{
	bool launched = listener.count == 0;
	int client;

	if (!launched) {
		if (!accept_run(&listener, &limits, &client))
			return EX_OSERR;
		if (client < 0)
			return EX_OK;
		if (!io_replace(0, client) || !io_replace(1, client))
			return EX_OSERR;
		(void)close(client); /* it lives on as 0 */
	}
	return agent_run(&settings, launched);
}

/* In one piece: whoever reads the first line only may be gone then. */
static int
print(const char *text, size_t length)
{
	if (io_write(1, text, length))
		return EX_OK;
	log_error("cannot write to standard output: %s", strerror(errno));
	return EX_IOERR;
}

static int
print_version(void)
{
	static const char text[] = "smtpd " VERSION "\n";

	return print(text, sizeof text - 1);
}

static int
print_help(void)
{
	static const char usage[] =
	    "usage: smtpd [options] [--] [command [argument ...]]\n";
	const size_t before = sizeof usage - 1;
	char text[8192];

	memcpy(text, usage, before);
	return print(text,
	    before + options_describe(text + before, sizeof text - before));
}

int
main(int argc, char **argv)
{
	int handed = launch_count(), command, keep[4];
	size_t kept;
	bool mute = launch_log_is_client(handed);

	log_open("smtpd", mute);
	if (!options_parse(argc, argv, &command, take_option))
		return EX_USAGE;
	if (option_given(OPTION_HELP))
		return print_help();
	if (option_given(OPTION_VERSION))
		return print_version();
	if (option_given(OPTION_SYSLOG))
		log_open("smtpd", true);
	log_quiet(option_given(OPTION_QUIET));
	settle();
	kept = find_tls(
	    handed > 0 || option_given(OPTION_LISTEN) || io_is_listening(0),
	    keep);
	if (!launch_take(handed, keep, kept, &listener) ||
	    (mute && !launch_mute_log())) {
		log_error("cannot sort the descriptors: %s", strerror(errno));
		return EX_OSERR;
	}
	if (!open_listeners()) {
		listen_remove(&listener);
		return EX_OSERR;
	}
	if (!become_user())
		return EX_CONFIG;
	if (!set_hooks())
		return EX_OSERR;
	set_logins();
	remark_useless(&settings, listener.count > 0);
	set_command(argv + command);
	(void)command_find(&settings.command); /* which says what is wrong */
	if (!check_sandbox()) {
		listen_remove(&listener);
		return EX_CONFIG;
	}
	if (!needs_rights())
		sandbox_renounce();
	return serve();
}
