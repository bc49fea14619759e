#include "exchange.h"

#include <string.h>

#include "base64.h"
#include "text.h"

/* The caller's mechanism of that name, NULL if he has none. */
static const char *
others_named(const struct smtp_config *config, const char *name, size_t length)
{
	for (size_t i = 0; i < config->mechanism_count; i++)
		if (text_same(config->mechanisms[i],
			strlen(config->mechanisms[i]), name, length))
			return config->mechanisms[i];
	return NULL;
}

/* Ours, by enum sasl_mechanism. */
static const char *const names[] = {
    [SASL_PLAIN] = "PLAIN",
    [SASL_LOGIN] = "LOGIN",
    [SASL_CRAM_MD5] = "CRAM-MD5",
};

static bool
has_ours(const struct smtp_config *config, enum sasl_mechanism mechanism)
{
	return config->auth && mechanism != SASL_UNKNOWN &&
	       (mechanism != SASL_CRAM_MD5 || config->auth_cram);
}

bool
auth_offered(const struct smtp *smtp)
{
	const struct smtp_config *config = smtp->config;

	return (config->auth || config->mechanism_count > 0) &&
	       (smtp->secure || config->auth_plaintext || config->starttls);
}

/* Octets up to the first space. */
static size_t
word(const char *text, size_t length)
{
	const char *space = memchr(text, ' ', length);

	return space ? (size_t)(space - text) : length;
}

const char *
check_auth(struct smtp *smtp, struct smtp_event *event)
{
	const char *text = event->argument;
	size_t length = event->argument_length, at = word(text, length);
	enum sasl_mechanism mechanism;

	if (smtp->authenticated)
		return REPLY_SEQUENCE;
	if (!smtp->secure && !smtp->config->auth_plaintext)
		return REPLY_ENCRYPT;
	event->text = others_named(smtp->config, text, at);
	mechanism = sasl_mechanism(text, at);
	if (!event->text && has_ours(smtp->config, mechanism))
		event->text = names[mechanism];
	if (!event->text)
		return REPLY_MECHANISM;
	event->length = strlen(event->text);
	while (at < length && text[at] == ' ')
		at++;
	if (at == length)
		return NULL;
	event->password = text + at;
	event->password_length = length - at;
	return word(text + at, length - at) == length - at ? NULL
							   : REPLY_UNDECODABLE;
}

/* What a step of PLAIN, LOGIN or CRAM-MD5 has come to. */
static const char *
stepped(struct smtp *smtp, enum sasl_step step)
{
	struct smtp_exchange *exchange = &smtp->exchange;
	struct smtp_event *event = &smtp->event;
	const char *ask;

	switch (step) {
	case SASL_ASK:
		ask = sasl_ask(&exchange->sasl);
		event->kind = SMTP_ASKED;
		event->reply_length = smtp->output_length;
		smtp_say(smtp, ask, strlen(ask));
		event->reply = smtp->output + event->reply_length;
		event->reply_length = smtp->output_length - event->reply_length;
		return NULL;
	case SASL_DONE:
		exchange->open = false;
		event->kind = SMTP_LOGIN;
		event->user = exchange->sasl.user;
		event->user_length = exchange->sasl.user_length;
		event->password = exchange->sasl.password;
		event->password_length = exchange->sasl.password_length;
		return NULL;
	case SASL_UNDECODABLE:
		return REPLY_UNDECODABLE;
	case SASL_CANCELLED:
		return REPLY_CANCELLED;
	case SASL_NO_INITIAL:
		return REPLY_NO_INITIAL;
	case SASL_REFUSED:
		break;
	}
	return REPLY_CREDENTIALS;
}

static bool
is_initial(const struct smtp_event *event)
{
	return (event->password_length == 1 && *event->password == '=') ||
	       base64_valid(event->password, event->password_length);
}

const char *
exchange_begin(struct smtp *smtp)
{
	struct smtp_exchange *exchange = &smtp->exchange;
	struct smtp_event *event = &smtp->event;
	enum sasl_mechanism mechanism =
	    sasl_mechanism(event->text, event->length);
	const char *initial = event->password;

	exchange->command = event->command;
	exchange->mechanism = event->text;
	exchange->open = true;
	exchange->other =
	    others_named(smtp->config, event->text, event->length);
	if (!exchange->other)
		sasl_begin(&exchange->sasl, mechanism);
	if (exchange->other && initial && !is_initial(event))
		return REPLY_UNDECODABLE;
	if (exchange->other || (mechanism == SASL_CRAM_MD5 && !initial)) {
		event->kind = SMTP_CHALLENGE;
		return NULL;
	}
	/* The line is lent to be written over. */
	return stepped(smtp, initial
				 ? sasl_initial(&exchange->sasl,
				       (char *)initial, event->password_length)
				 : SASL_ASK);
}

/* A response that the caller is to judge. */
static const char *
pass_on(struct smtp *smtp, const char *line, size_t length)
{
	struct smtp_event *event = &smtp->event;

	if (length == 1 && *line == '*')
		return REPLY_CANCELLED;
	if (!base64_valid(line, length))
		return REPLY_UNDECODABLE;
	event->kind = SMTP_RESPONSE;
	event->password = line;
	event->password_length = length;
	return NULL;
}

void
exchange_event(struct smtp *smtp)
{
	const struct smtp_exchange *exchange = &smtp->exchange;

	smtp->event = (struct smtp_event){
	    .command = exchange->command,
	    .line = "",
	    .text = exchange->mechanism,
	    .length = strlen(exchange->mechanism),
	};
}

const char *
exchange_take(struct smtp *smtp, char *line, size_t length)
{
	struct smtp_exchange *exchange = &smtp->exchange;

	if (exchange->other)
		return pass_on(smtp, line, length);
	return stepped(smtp, sasl_response(&exchange->sasl, line, length));
}

void
exchange_end(struct smtp *smtp)
{
	struct smtp_exchange *exchange = &smtp->exchange;

	/* Most sessions have none: their memory stays as it is. */
	if (exchange->mechanism)
		sasl_wipe(exchange, sizeof *exchange);
}

/* Adds a word; what does not fit is left out. */
static size_t
add_word(char *out, size_t used, size_t size, const char *word)
{
	size_t length = strlen(word);

	if (used + 1 + length > size)
		return used;
	if (used > 0)
		out[used++] = ' ';
	memcpy(out + used, word, length);
	return used + length;
}

size_t
exchange_mechanisms(const struct smtp_config *config, char *out, size_t size)
{
	size_t used = 0;

	for (size_t i = SASL_PLAIN; i < sizeof names / sizeof *names; i++)
		if (has_ours(config, (enum sasl_mechanism)i) &&
		    !others_named(config, names[i], strlen(names[i])))
			used = add_word(out, used, size, names[i]);
	for (size_t i = 0; i < config->mechanism_count; i++)
		used = add_word(out, used, size, config->mechanisms[i]);
	return used;
}
