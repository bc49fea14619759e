/* Rooms: ehlo
 * With: exchange machine number text receive sasl base64 data hops
 * Models: utf8
 * Eva: -eva-slevel-function compose_ehlo:0,any_config:0,any_smtp:0
 * Eva: -eva-auto-loop-unroll 16
 * Limits: REPLY_LINE_MAX=64
 * Any configuration, names of some lengths up to more than a line has. */
#include "ehlo.h"

#include "exchange.h"
#include "state.h"

enum { LENGTH = REPLY_LINE_MAX + 1 };

static struct smtp smtp;
static struct smtp_config config;

static void
once(const char *hostname, const char *const *names, size_t count)
{
	any_config(&config, hostname);
	config.mechanisms = names;
	config.mechanism_count = count;
	any_smtp(&smtp, &config, ROOM);
	compose_ehlo(&smtp, &smtp.event);
}

void
prove(void)
{
	const char *names[] = {string(3), string(LENGTH), string(20)};

	once(string(0), names, 0);
	once(string(LENGTH), names, 3);
	(void)smtp_keyword(octets(8), 8);
}
