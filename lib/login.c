#include "login.h"

#include <string.h>

#include "ask.h"
#include "base64.h"

#define NO_AUTH "4.7.0 Upstream offers no AUTH that is known here"

void
login_hello(struct client *client, const char *verb, enum client_step step)
{
	if (strlen(client->config->name) > CLIENT_NAME_MAX)
		__builtin_trap();
	client_expect(client, step);
	ask_say(client, verb);
	ask_say(client, " ");
	ask_say(client, client->config->name);
	ask_say(client, "\r\n");
}

/* Puts out text[0..length) in base64; *encoder has what came before. */
static void
put_base64(struct client *client, struct base64_encoder *encoder,
    const char *text, size_t length)
{
	char out[BASE64_ENCODED_MAX(CLIENT_CREDENTIAL_MAX + 2)];

	if (length > CLIENT_CREDENTIAL_MAX)
		__builtin_trap();
	ask_put(client, out, base64_encode(encoder, text, length, out));
}

static void
end_base64(struct client *client, struct base64_encoder *encoder)
{
	char out[4];

	ask_put(client, out, base64_encode_end(encoder, out));
	ask_say(client, "\r\n");
}

static void
plain(struct client *client)
{
	const struct client_config *config = client->config;
	struct base64_encoder encoder = {0};

	client_expect(client, CLIENT_STEP_PLAIN);
	ask_say(client, "AUTH PLAIN ");
	put_base64(client, &encoder, "\0", 1);
	put_base64(client, &encoder, config->user, strlen(config->user));
	put_base64(client, &encoder, "\0", 1);
	put_base64(
	    client, &encoder, config->password, strlen(config->password));
	end_base64(client, &encoder);
}

static void
login(struct client *client)
{
	client_expect(client, CLIENT_STEP_LOGIN);
	ask_say(client, "AUTH LOGIN\r\n");
}

static void
secret(struct client *client, const char *secret, enum client_step step)
{
	struct base64_encoder encoder = {0};

	client_expect(client, step);
	put_base64(client, &encoder, secret, strlen(secret));
	end_base64(client, &encoder);
}

void
login_greeted(struct client *client)
{
	login_hello(
	    client, client->config->lmtp ? "LHLO" : "EHLO", CLIENT_STEP_EHLO);
}

void
login_ready(struct client *client)
{
	if (!client->config->user)
		client_happens(client, CLIENT_READY);
	else if (client->offer.extensions & OFFER_AUTH_PLAIN)
		plain(client);
	else if (client->offer.extensions & OFFER_AUTH_LOGIN)
		login(client);
	else
		client_fail(client, NO_AUTH);
}

void
login_user(struct client *client)
{
	secret(client, client->config->user, CLIENT_STEP_USER);
}

void
login_password(struct client *client)
{
	secret(client, client->config->password, CLIENT_STEP_PASSWORD);
}
