#include "ask.h"

#include <string.h>

#include "address.h"
#include "dots.h"
#include "number.h"
#include "param.h"

void
ask_put(struct client *client, const char *text, size_t length)
{
	if (client->failed)
		return;
	if (length > CLIENT_OUTPUT_MAX - client->output_length)
		__builtin_trap();
	if (length > 0)
		memcpy(client->output + client->output_length, text, length);
	client->output_length += length;
}

void
ask_say(struct client *client, const char *text)
{
	ask_put(client, text, strlen(text));
}

/* Puts out those of the parameters that have one of two keywords, where
 * upstream has DSN; it must be spelled right (RFC 3461 4). */
static void
put_params(struct client *client, const char *text, size_t length,
    const char *one, const char *other)
{
	struct param param;
	size_t at = 0;

	if (!(client->offer.extensions & OFFER_DSN))
		return;
	while (param_next(text, length, client->utf8, &at, &param) ==
	       PARAM_FOUND) {
		if (!param_is(&param, one) && !param_is(&param, other))
			continue;
		if (!param.value ||
		    param_repeated(text, length, client->utf8, &param))
			continue;
		ask_say(client, " ");
		ask_put(client, param.keyword, param.keyword_length);
		ask_say(client, "=");
		ask_put(client, param.value, param.value_length);
	}
}

/* Puts out the path; false, and nothing is, if it is none. */
static bool
put_path(
    struct client *client, const char *verb, const char *address, size_t length)
{
	struct address parsed;

	if (length > CLIENT_ADDRESS_MAX ||
	    (length > 0 && address_parse(address, length, client->utf8,
			       &parsed) != length))
		return false;
	ask_say(client, verb);
	ask_put(client, address, length);
	ask_say(client, ">");
	return true;
}

bool
client_mail(struct client *client, const struct client_message *message)
{
	char number[NUMBER_TEXT_MAX];

	client->accepted = 0;
	client->utf8 = (message->needs_utf8 || message->wants_utf8) &&
		       (client->offer.extensions & OFFER_SMTPUTF8);
	if (message->options_length > CLIENT_ADDRESS_MAX ||
	    !put_path(
		client, "MAIL FROM:<", message->sender, message->sender_length))
		return false;
	client_expect(client, CLIENT_STEP_MAIL);
	if (message->size > 0 && (client->offer.extensions & OFFER_SIZE)) {
		ask_say(client, " SIZE=");
		ask_put(client, number, number_format(message->size, number));
	}
	if (message->eight_bit && (client->offer.extensions & OFFER_8BITMIME))
		ask_say(client, " BODY=8BITMIME");
	if (client->utf8)
		ask_say(client, " SMTPUTF8");
	put_params(
	    client, message->options, message->options_length, "RET", "ENVID");
	ask_say(client, "\r\n");
	return true;
}

bool
client_rcpt(struct client *client, const char *address, size_t length,
    const char *options, size_t options_length)
{
	if (length == 0 || options_length > CLIENT_ADDRESS_MAX ||
	    !put_path(client, "RCPT TO:<", address, length))
		return false;
	client_expect(client, CLIENT_STEP_RCPT);
	put_params(client, options, options_length, "NOTIFY", "ORCPT");
	ask_say(client, "\r\n");
	return true;
}

void
client_data(struct client *client)
{
	client_expect(client, CLIENT_STEP_DATA);
	ask_say(client, "DATA\r\n");
}

void
client_reset(struct client *client)
{
	client_expect(client, CLIENT_STEP_RSET);
	ask_say(client, "RSET\r\n");
}

void
client_quit(struct client *client)
{
	client->quitting = true;
	client_expect(client, CLIENT_STEP_QUIT);
	ask_say(client, "QUIT\r\n");
}

const char *
client_objection(
    const struct client *client, const struct client_message *message)
{
	if (message->needs_utf8 && !(client->offer.extensions & OFFER_SMTPUTF8))
		return "550 5.6.7 Upstream has no SMTPUTF8";
	if (message->eight_bit && !(client->offer.extensions & OFFER_8BITMIME))
		return "554 5.6.3 Upstream has no 8BITMIME";
	if (client->offer.size_max > 0 &&
	    message->size > client->offer.size_max)
		return "552 5.3.4 Message too big for upstream";
	return NULL;
}

bool
client_room(const struct client *client)
{
	size_t most =
	    client->offer.extensions & OFFER_PIPELINING ? CLIENT_BATCH_MAX : 1;

	return !client->failed && client->count < most &&
	       client->output_length + ASK_MAX <= CLIENT_OUTPUT_MAX;
}

void
client_content(struct client *client, const char **text, size_t *length)
{
	size_t at = client->output_length;

	if (!client->sending)
		return;
	at += dots_encode(&client->dots, text, length, client->output + at,
	    CLIENT_OUTPUT_MAX - at);
	client->output_length = at;
	if (client->dots.bad)
		client_fail(client, "4.3.0 Message has a bare CR");
}

bool
client_content_end(struct client *client)
{
	size_t at = client->output_length;

	if (!client->sending)
		return true;
	if (CLIENT_OUTPUT_MAX - at < DOTS_END_MAX)
		return false;
	at += dots_end(&client->dots, client->output + at);
	client->output_length = at;
	if (client->dots.bad)
		client_fail(client, "4.3.0 Message has a bare CR");
	client->verdicts = client->config->lmtp ? client->accepted : 1;
	client->part = false;
	client_expect(client, CLIENT_STEP_VERDICT);
	client->sending = false;
	return true;
}
