/* Rooms: hooktext
 * Models: base64 reply text
 * With: sasl utf8 verdict
 * Limits: HOOKTEXT_MAX=6 HOOKTEXT_NAME_MAX=4 REPLY_LINE_MAX=16 REPLY_MAX=60
 * SASL_LINE_MAX=14 SASL_USER_MAX=3 Lines up to LINE octets, one of which is too
 * long for each limit, and outputs up to LENGTH behind any end. */
#include "hooktext.h"

#include "prove.h"
#include "reply.h"

enum { LINE = 19, LENGTH = HOOKTEXT_MAX + 1 };

static void
line(size_t length)
{
	struct hooktext_line found;

	hooktext_line(octets(length), length, &found);
	if (found.kind == HOOKTEXT_VARIABLE)
		(void)found.name[found.name_length - 1];
	if (found.value_length > 0)
		(void)found.value[found.value_length - 1];
}

static void
output(size_t length, enum verdict_end end, int status)
{
	const char *text = octets(length);
	char *reply = room(REPLY_MAX + 1);
	bool utf8 = any_bool();
	size_t n, variables;

	n = hooktext_verdict(
	    end, status, text, length, utf8, reply, REPLY_MAX + 1, &variables);
	if (n > 0)
		(void)reply[n - 1];
	if (variables > 0)
		(void)text[variables - 1];
	n = hooktext_login(
	    end, status, text, length, utf8, any_bool(), reply, REPLY_MAX + 1);
	if (n > 0)
		(void)reply[n - 1];
}

void
prove(void)
{
	//@ loop unroll 99;
	for (size_t length = 0; length <= LINE; length++)
		line(length);
	//@ loop unroll 99;
	for (size_t length = 0; length <= LENGTH; length++)
		output(length, VERDICT_EXITED, any_int(0, 255));
	output(LENGTH, VERDICT_KILLED, any_int(0, 255));
	output(LENGTH, VERDICT_NOT_RUN, any_int(0, 255));
}
