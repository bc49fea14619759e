/* Rooms: exchange
 * With: machine receive text hops data
 * Models: sasl base64 utf8 number
 * Eva: -eva-slevel-function any_config:0,any_smtp:0,text_same:0
 * Eva: -eva-auto-loop-unroll 20
 * Limits: SASL_USER_MAX=4
 * Octets: followed
 * Arguments of some lengths, responses up to LENGTH octets, in any state. */
#include "exchange.h"

#include "machine.h"
#include "state.h"

enum { LENGTH = 4 };

static struct smtp smtp;
static struct smtp_config config;
static const struct smtp_command row = {.kind = SMTP_LOGIN};

static void
any(void)
{
	static const char *const names[] = {"X", "LOGIN"};

	any_config(&config, "");
	config.mechanisms = names;
	config.mechanism_count = any_bool() ? 2 : 0;
	any_smtp(&smtp, &config, ROOM);
}

static void
seen(const char *reply)
{
	const struct smtp_event *event = &smtp.event;

	if (!reply && event->password_length > 0)
		(void)event->password[event->password_length - 1];
	exchange_end(&smtp);
}

static void
begin(size_t length)
{
	any();
	smtp.event.command = &row;
	smtp.event.argument = octets(length);
	smtp.event.argument_length = length;
	(void)auth_offered(&smtp);
	if (!check_auth(&smtp, &smtp.event))
		seen(exchange_begin(&smtp));
}

static void
take(size_t length, enum sasl_mechanism mechanism)
{
	any();
	smtp.exchange.open = true;
	smtp.exchange.other = any_bool();
	smtp.exchange.mechanism = "LOGIN";
	smtp.exchange.command = &row;
	smtp.exchange.sasl.mechanism = mechanism;
	smtp.exchange.sasl.user_length = any_size(0, SASL_USER_MAX);
	exchange_event(&smtp);
	seen(exchange_take(&smtp, octets(length), length));
}

void
prove(void)
{
	char out[24];

	begin(0);
	begin(1);
	begin(7);
	begin(8);
	//@ loop unroll 99;
	for (size_t length = 0; length <= LENGTH; length++) {
		take(length, SASL_PLAIN);
		take(length, SASL_LOGIN);
		take(length, SASL_CRAM_MD5);
	}
	any();
	(void)exchange_mechanisms(&config, out, sizeof out);
	(void)exchange_mechanisms(&config, out, 7);
}
