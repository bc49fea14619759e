/* Inside: client
 * Rooms: ask login
 * With: base64 number param
 * Models: address answer dots offer text utf8
 * Eva: -eva-plevel 50 -eva-slevel-function any_client:0,any_config:0,string:0
 * Eva: -eva-slevel-function client_objection:0,client_mail:0,client_rcpt:0
 * Limits: CLIENT_CREDENTIAL_MAX=4 CLIENT_ADDRESS_MAX=8 CLIENT_BATCH_MAX=5
 * Limits: CLIENT_OUTPUT_MAX=600 ANSWER_LINE_MAX=8 ANSWER_TEXT_MAX=8
 * Each function in any state of the machine in which it may be called. */
#include <client.c>

#include "prove.h"

enum { LENGTH = 2 };

static struct client_config config;
static struct client client;

/* Text of up to length octets that ends with a NUL. */
static const char *
string(char text[], size_t length)
{
	//@ loop unroll 99;
	for (size_t i = 0; i < length; i++)
		text[i] = 'x';
	text[length] = '\0';
	text[any_size(0, length)] = '\0';
	return text;
}

static void
any_config(void)
{
	static char name[9], user[CLIENT_CREDENTIAL_MAX + 1],
	    password[CLIENT_CREDENTIAL_MAX + 1];

	config.name = string(name, sizeof name - 1);
	config.lmtp = any_bool();
	config.user = NULL;
	if (any_bool())
		config.user = string(user, sizeof user - 1);
	config.password = string(password, sizeof password - 1);
}

/* Any state between calls, with count steps that wait for replies, the first
 * of them step, and no input. */
static void
any_client(size_t count, int step)
{
	ANYTHING(client);
	any_config();
	client.config = &config;
	/* Else there is no login. */
	if (is_login((enum client_step)step))
		config.user = config.password;
	client.offer.extensions = (unsigned)any_int(0, 127);
	client.utf8 = any_bool();
	client.sending = any_bool();
	client.failed = any_bool();
	client.gone = any_bool();
	client.part = any_bool();
	client.quitting = any_bool();
	//@ loop unroll 99;
	for (size_t i = 0; i < CLIENT_BATCH_MAX; i++)
		client.steps[i] = (unsigned char)step;
	client.first = any_size(0, CLIENT_BATCH_MAX - 1);
	client.count = count;
	client.event = (struct client_event){.kind = CLIENT_READ};
	client.answer.begun = any_bool();
	client.answer.ended = any_bool();
	client.answer.whole = any_bool();
	client.answer.code = any_int(0, 599);
	client.answer.length = any_size(0, ANSWER_LINE_MAX + 1);
	client.answer.text_length = any_size(0, ANSWER_TEXT_MAX);
	client.dots.state = any_int(DOTS_LINE_START, DOTS_RETURN);
	client.dots.bad = any_bool();
	client.input = "";
	client.input_length = 0;
	/* While it greets and logs in there is one command at a time. */
	client.output_length =
	    any_size(0, step < CLIENT_STEP_MAIL ? 64 : CLIENT_OUTPUT_MAX);
}

static void
check(void)
{
	//@ assert client.first < CLIENT_BATCH_MAX;
	//@ assert client.count <= CLIENT_BATCH_MAX;
	//@ assert client.output_length <= CLIENT_OUTPUT_MAX;
	(void)client_patience(&client);
}

static void
begin(void)
{
	any_config();
	client_begin(&client, &config);
	check();
}

static void
next(int step, size_t count, size_t length)
{
	any_client(count, step);
	client_input(&client, octets(length), length);
	(void)client_next(&client);
	check();
}

static void
ended(int step, size_t count)
{
	any_client(count, step);
	client_closed(&client);
	client_fail(&client, "4.0.0 No");
	(void)client_next(&client);
	check();
}

static void
hurry(int step, size_t count)
{
	any_client(count, step);
	(void)client_hurry(&client);
	check();
}

static void
mail(size_t length, size_t options_length)
{
	struct client_message message = {
	    .sender = octets(length),
	    .sender_length = length,
	    .options = octets(options_length),
	    .options_length = options_length,
	    .size = any_size(0, SIZE_MAX),
	    .eight_bit = any_bool(),
	    .needs_utf8 = any_bool(),
	    .wants_utf8 = any_bool(),
	};

	any_client(any_size(0, CLIENT_BATCH_MAX), CLIENT_STEP_RCPT);
	(void)client_objection(&client, &message);
	if (client_room(&client))
		(void)client_mail(&client, &message);
	check();
}

static void
rcpt(size_t length, size_t options_length)
{
	any_client(any_size(0, CLIENT_BATCH_MAX), CLIENT_STEP_RCPT);
	if (client_room(&client))
		(void)client_rcpt(&client, octets(length), length,
		    octets(options_length), options_length);
	check();
}

static void
others(void)
{
	any_client(any_size(0, CLIENT_BATCH_MAX), CLIENT_STEP_RCPT);
	if (!client_room(&client))
		return;
	if (any_bool())
		client_data(&client);
	else if (any_bool())
		client_reset(&client);
	else
		client_quit(&client);
	check();
}

static void
content(size_t length, size_t room)
{
	const char *text = octets(length);

	any_client(0, CLIENT_STEP_RCPT);
	client.output_length = CLIENT_OUTPUT_MAX - room;
	client_content(&client, &text, &length);
	check();
	(void)client_content_end(&client);
	check();
}

static void
written(size_t kept, size_t n)
{
	any_client(any_size(0, CLIENT_BATCH_MAX), CLIENT_STEP_RCPT);
	client.output_length = kept;
	(void)client_output(&client, &kept);
	client_written(&client, n);
	check();
}

void
prove(void)
{
	begin();
	//@ loop unroll 99;
	for (int step = CLIENT_STEP_GREETING; step <= CLIENT_STEP_QUIT;
	     step++) {
		//@ loop unroll 99;
		for (size_t length = 0; length <= 2; length++) {
			next(step, 1, length);
			if (step >= CLIENT_STEP_MAIL)
				next(step, 2, length);
		}
		ended(step, 1);
		hurry(step, 1);
	}
	next(CLIENT_STEP_QUIT, 0, 2);
	ended(CLIENT_STEP_QUIT, 0);
	hurry(CLIENT_STEP_QUIT, 0);
	//@ loop unroll 99;
	for (size_t length = 0; length <= LENGTH; length++) {
		mail(length, 0);
		rcpt(length, 0);
		content(length, length);
		content(length, DOTS_END_MAX + 1);
	}
	/* "RET=x", and a parameter too much. */
	mail(1, 5);
	mail(1, CLIENT_ADDRESS_MAX + 1);
	rcpt(1, 6);
	others();
	//@ loop unroll 99;
	for (size_t n = 0; n <= LENGTH; n++) {
		written(LENGTH, n);
		written(CLIENT_OUTPUT_MAX, CLIENT_OUTPUT_MAX - n);
	}
}
