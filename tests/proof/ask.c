/* Rooms: ask
 * Models: address dots words utf8
 * With: answer client login number offer text
 * Limits: ASK_MAX=70 CLIENT_ADDRESS_MAX=3 CLIENT_OUTPUT_MAX=72
 * CLIENT_BATCH_MAX=2 ANSWER_LINE_MAX=5 ANSWER_TEXT_MAX=4 Addresses and options
 * of no octet, as many as are allowed and one more, and content up to LENGTH
 * octets, in any machine that has just so much room as client_room() wants, or
 * less for content; a message has no size or the one that is the longest
 * number. */
#include "ask.h"

#include "clients.h"
#include "dots.h"

enum { LENGTH = CLIENT_ADDRESS_MAX + 1, FULL = CLIENT_OUTPUT_MAX - ASK_MAX };

static struct client_config config = {.name = "a"};

static struct client
machine(size_t output_length)
{
	struct client client = any_client(&config, output_length);

	config.lmtp = maybe();
	client.input_length = any_size(0, 1);
	client.failed = maybe();
	return client;
}

static void
well(const struct client *client)
{
	//@ assert client->count <= CLIENT_BATCH_MAX;
	//@ assert client->output_length <= CLIENT_OUTPUT_MAX;
	(void)client;
}

static void
mail(size_t length, size_t options_length, uint64_t size)
{
	struct client client = machine(FULL);
	struct client_message message = {
	    .sender = octets(length),
	    .sender_length = length,
	    .options = octets(options_length),
	    .options_length = options_length,
	    .size = size,
	    .eight_bit = maybe(),
	    .needs_utf8 = maybe(),
	    .wants_utf8 = maybe(),
	};

	(void)client_objection(&client, &message);
	if (client_room(&client))
		(void)client_mail(&client, &message);
	well(&client);
}

static void
rcpt(size_t length, size_t options_length)
{
	struct client client = machine(FULL);

	if (client_room(&client))
		(void)client_rcpt(&client, octets(length), length,
		    octets(options_length), options_length);
	well(&client);
}

static void
others(void (*command)(struct client *))
{
	struct client client = machine(FULL);

	if (client_room(&client))
		command(&client);
	well(&client);
}

static void
content(size_t length, size_t left)
{
	struct client client = machine(CLIENT_OUTPUT_MAX - left);
	const char *text = octets(length);

	client.sending = maybe();
	client_content(&client, &text, &length);
	well(&client);
	(void)client_content_end(&client);
	well(&client);
}

void
prove(void)
{
	//@ loop unroll 99;
	for (size_t n = 0; n <= LENGTH; n++)
		content(n, n);
	mail(0, 0, 0);
	mail(LENGTH, 0, 0);
	mail(0, LENGTH, 0);
	mail(LENGTH - 1, LENGTH - 1, UINT64_MAX);
	rcpt(0, 0);
	rcpt(LENGTH, 0);
	rcpt(1, LENGTH);
	rcpt(LENGTH - 1, LENGTH - 1);
	others(client_data);
	others(client_reset);
	others(client_quit);
}
