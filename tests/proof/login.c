/* Rooms: login
 * With: base64
 * Limits: CLIENT_CREDENTIAL_MAX=8 CLIENT_NAME_MAX=8
 * Names, users and passwords up to what a caller may have, from any offer; ask
 * and client are what is below. */
#include "login.h"

#include "ask.h"
#include "state.h"

static struct client client;
static struct client_config config;

void
ask_put(struct client *to, const char *text, size_t length)
{
	//@ loop unroll 9999;
	for (size_t i = 0; i < length; i++)
		(void)text[i];
	to->output_length += length;
	//@ assert to->output_length <= CLIENT_OUTPUT_MAX;
}

void
ask_say(struct client *to, const char *text)
{
	ask_put(to, text, strlen(text));
}

void
client_expect(struct client *to, enum client_step step)
{
	to->steps[0] = (unsigned char)step;
}

void
client_happens(struct client *to, enum client_kind kind)
{
	to->event.kind = kind;
}

void
client_fail(struct client *to, const char *text)
{
	to->failed = true;
	(void)text[0];
}

static void
any_client(void)
{
	ANYTHING(client);
	client.config = &config;
	client.offer.extensions = (unsigned)any_size(0, UINT32_MAX);
	client.output_length = CLIENT_OUTPUT_MAX - ASK_MAX;
}

static void
once(size_t name, size_t user, size_t password)
{
	config.name = string(name);
	config.user = string(user);
	config.password = string(password);
	config.lmtp = MAYBE;
	any_client();
	login_greeted(&client);
	any_client();
	login_ready(&client);
	any_client();
	login_user(&client);
	any_client();
	login_password(&client);
	config.user = NULL;
	any_client();
	login_ready(&client);
	any_client();
	login_hello(&client, "HELO", CLIENT_STEP_HELO);
}

void
prove(void)
{
	//@ loop unroll 99;
	for (size_t n = 0; n <= CLIENT_CREDENTIAL_MAX; n++) {
		once(n, n, CLIENT_CREDENTIAL_MAX);
		once(CLIENT_NAME_MAX, CLIENT_CREDENTIAL_MAX, n);
	}
}
