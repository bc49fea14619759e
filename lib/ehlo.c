#include "ehlo.h"

#include <string.h>

#include "exchange.h"
#include "number.h"
#include "text.h"
#include "xclient.h"

/* Behind "250-AUTH ". */
#define MECHANISMS_OCTETS (REPLY_LINE_MAX - 2 - 9)

static bool
offers_utf8(const struct smtp *smtp)
{
	return smtp->config->utf8;
}

/* RFC 3030 3: not without CHUNKING. */
static bool
offers_binary(const struct smtp *smtp)
{
	return smtp->config->crlf &&
	       !(smtp->config->hidden & smtp_keyword("CHUNKING", 8));
}

static bool
offers_limits(const struct smtp *smtp)
{
	return smtp->config->recipients_max > 0;
}

static bool
offers_starttls(const struct smtp *smtp)
{
	return smtp->config->starttls && !smtp->secure && !smtp->authenticated;
}

static bool
offers_auth(const struct smtp *smtp)
{
	return auth_offered(smtp) && !smtp->authenticated &&
	       (smtp->secure || smtp->config->auth_plaintext);
}

static size_t
say_mechanisms(const struct smtp_config *config, char *out)
{
	return exchange_mechanisms(config, out, MECHANISMS_OCTETS);
}

static size_t
say_size(const struct smtp_config *config, char *out)
{
	return number_format(config->size_max, out);
}

static size_t
say_limits(const struct smtp_config *config, char *out)
{
	static const char name[] = "RCPTMAX=";
	size_t length = strlen(name);

	memcpy(out, name, length);
	return length + number_format(config->recipients_max, out + length);
}

static bool
offers_xclient(const struct smtp *smtp)
{
	return smtp->config->xclient && smtp->config->takes_xclient;
}

static size_t
say_attributes(const struct smtp_config *config, char *out)
{
	(void)config;
	memcpy(out, XCLIENT_NAMES, strlen(XCLIENT_NAMES));
	return strlen(XCLIENT_NAMES);
}

/* In the order of the reply. */
static const struct keyword {
	const char *name;
	/* NULL: always */
	bool (*offered)(const struct smtp *smtp);
	/* Writes what stands behind the name; NULL: nothing does. */
	size_t (*say)(const struct smtp_config *config, char *out);
} keywords[] = {
    {"PIPELINING", NULL, NULL},                  /* RFC 2920 */
    {"SIZE", NULL, say_size},                    /* RFC 1870 */
    {"8BITMIME", NULL, NULL},                    /* RFC 6152 */
    {"ENHANCEDSTATUSCODES", NULL, NULL},         /* RFC 2034 */
    {"CHUNKING", NULL, NULL},                    /* RFC 3030 */
    {"BINARYMIME", offers_binary, NULL},         /* RFC 3030 */
    {"DSN", NULL, NULL},                         /* RFC 3461 */
    {"SMTPUTF8", offers_utf8, NULL},             /* RFC 6531 */
    {"LIMITS", offers_limits, say_limits},       /* RFC 9422 */
    {"STARTTLS", offers_starttls, NULL},         /* RFC 3207 */
    {"AUTH", offers_auth, say_mechanisms},       /* RFC 4954 */
    {"XCLIENT", offers_xclient, say_attributes}, /* Postfix */
    {"HELP", NULL, NULL},                        /* RFC 5321 */
};

#define KEYWORDS (sizeof keywords / sizeof *keywords)

unsigned
smtp_keyword(const char *text, size_t length)
{
	for (size_t i = 0; i < KEYWORDS; i++)
		if (text_same(keywords[i].name, strlen(keywords[i].name), text,
			length))
			return 1u << i;
	return 0;
}

/* A line of the reply: a name, and what is to be said of it, if anything. */
static void
say_line(struct smtp *smtp, const char *name,
    size_t (*say)(const struct smtp_config *config, char *out))
{
	char line[REPLY_LINE_MAX - 2];
	size_t length = 4;

	memcpy(line, "250-", 4);
	while (*name && length < sizeof line)
		line[length++] = *name++;
	if (say) {
		line[length++] = ' ';
		length += say(smtp->config, line + length);
	}
	smtp_say(smtp, line, length);
}

/* RFC 5321 4.1.1.1 */
void
compose_ehlo(struct smtp *smtp, const struct smtp_event *event)
{
	const struct smtp_config *config = smtp->config;
	size_t last = smtp->output_length;

	(void)event;
	say_line(smtp, config->hostname, NULL);
	for (size_t i = 0; i < KEYWORDS; i++) {
		const struct keyword *keyword = &keywords[i];

		if ((config->hidden & 1u << i) ||
		    (keyword->offered && !keyword->offered(smtp)))
			continue;
		last = smtp->output_length;
		say_line(smtp, keyword->name, keyword->say);
	}
	smtp->output[last + 3] = ' ';
}
