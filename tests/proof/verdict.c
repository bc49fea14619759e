/* Rooms: verdict
 * Models: reply text
 * With: utf8
 * Limits: REPLY_LINE_MAX=16 REPLY_MAX=60
 * Outputs up to LENGTH octets behind any status. */
#include "verdict.h"

#include "prove.h"
#include "reply.h"

enum { LENGTH = 6 };

static void
once(size_t length, int status)
{
	const char *output = octets(length);
	char *reply = room(REPLY_MAX + 1);
	bool utf8 = any_bool();
	size_t n;

	n = verdict(
	    VERDICT_EXITED, status, output, length, utf8, reply, REPLY_MAX + 1);
	if (n > 0)
		(void)reply[n - 1];
	(void)verdict_parts(
	    status, output, length, utf8, any_size(0, SIZE_MAX));
	(void)verdict_success(status);
}

void
prove(void)
{
	char *reply = room(REPLY_MAX + 1);

	//@ loop unroll 99;
	for (size_t length = 0; length <= LENGTH; length++) {
		once(length, 0);
		once(length, any_int(0, 255));
	}
	(void)verdict(VERDICT_KILLED, 0, NULL, 0, false, reply, REPLY_MAX + 1);
	(void)verdict(VERDICT_NOT_RUN, 0, NULL, 0, false, reply, REPLY_MAX + 1);
}
