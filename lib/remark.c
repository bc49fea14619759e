#include "remark.h"

#include <string.h>

#include "log.h"
#include "options.h"

/* Of TLS and AUTH. */
static void
mention_logins(const struct settings *settings, bool listening)
{
	const struct smtp_config *smtp = &settings->smtp;
	/* A PROXY header may say that there is TLS. */
	bool tls = smtp->secure || smtp->starttls || settings->proxy;
	bool mechanisms = settings->checker || smtp->mechanism_count > 0;
	const struct {
		bool useless;
		const char *line;
	} all[] = {
	    {option_given(OPTION_TLSWRAPPER) && listening,
		"--tlswrapper has no effect when listening"},
	    {option_given(OPTION_TLSWRAPPER) && !listening && smtp->secure &&
		    !settings->wrapped,
		"--tlswrapper has no effect: SSL_PROTOCOL says that there is "
		"TLS already"},
	    {smtp->auth_cram && !settings->checker,
		"--auth-cram-md5 has no effect without --auth"},
	    {smtp->auth_plaintext && !mechanisms,
		"--auth-plaintext has no effect: there is no --auth, and no "
		"hook AUTH-NAME"},
	    {smtp->auth_plaintext && mechanisms && smtp->secure,
		"--auth-plaintext has no effect: there is TLS from the start"},
	    {settings->checker && !tls && !smtp->auth_plaintext,
		"--auth has no effect: there is no TLS, nor --auth-plaintext"},
	    {smtp->mechanism_count > 0 && !tls && !smtp->auth_plaintext,
		"the hooks AUTH-NAME have no effect: there is no TLS, nor "
		"--auth-plaintext"},
	    {smtp->require_tls && smtp->secure,
		"--require-tls has no effect: there is TLS from the start"},
	    {smtp->require_tls && !tls,
		"--require-tls refuses all mail: there is no TLS"},
	    {smtp->require_auth && !smtp->xclient &&
		    (!mechanisms || (!tls && !smtp->auth_plaintext)),
		"--require-auth refuses all mail: there is no AUTH"},
	};

	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (all[i].useless)
			log_error("%s", all[i].line);
}

static void
mention_hiding(const struct settings *settings)
{
	const struct smtp_config *smtp = &settings->smtp;
	const struct {
		const char *keyword;
		bool offered;
	} all[] = {
	    {"SMTPUTF8", smtp->utf8},
	    {"BINARYMIME",
		smtp->crlf && !(smtp->hidden & smtp_keyword("CHUNKING", 8))},
	    {"STARTTLS", smtp->starttls},
	    {"AUTH", (settings->checker || smtp->mechanism_count > 0) &&
			 (smtp->secure || smtp->starttls || settings->proxy ||
			     smtp->auth_plaintext)},
	    {"XCLIENT", smtp->xclient},
	};

	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (!all[i].offered &&
		    (smtp->hidden &
			smtp_keyword(all[i].keyword, strlen(all[i].keyword))))
			log_error("--hide %s has no effect: it is not offered",
			    all[i].keyword);
}

void
remark_useless(const struct settings *settings, bool listening)
{
	static const struct {
		enum option_name useless, because;
	} pairs[] = {
	    {OPTION_USER, OPTION_NOSETUID},
	    {OPTION_DOMAIN, OPTION_ANY},
	    {OPTION_RELAY_FROM, OPTION_ANY},
	    {OPTION_NO_TRUST, OPTION_ANY},
	    {OPTION_NO_TRUST, OPTION_PROXY},
	    {OPTION_MAX_RECIPIENTS, OPTION_SINGLE},
	    {OPTION_DEBUG, OPTION_QUIET},
	    {OPTION_TLSWRAPPER, OPTION_TLS},
	};

	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
		if (option_given(pairs[i].useless) &&
		    option_given(pairs[i].because))
			log_error("--%s has no effect with --%s",
			    option_long(pairs[i].useless),
			    option_long(pairs[i].because));
	mention_logins(settings, listening);
	mention_hiding(settings);
	if (option_given(OPTION_PROXY_FROM) && !settings->proxy)
		log_error("--proxy-from has no effect without "
			  "--proxy-protocol");
	if (listening)
		return;
	if (option_given(OPTION_CONCURRENCY))
		log_error("--concurrency has no effect: not listening");
	if (option_given(OPTION_PER_CLIENT))
		log_error("--per-client has no effect: not listening");
}
