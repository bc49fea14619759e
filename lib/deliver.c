#include "deliver.h"

#include <string.h>

#include "paged.h"
#include "verdict.h"

/* In LMTP: true if each recipient has a reply of its own, and none if the
 * output is wrong. */
static bool
parted(struct outcome *outcome, const struct delivery *delivery)
{
	enum verdict_parts parts;

	if (delivery->recipients == 0 || outcome->end != VERDICT_EXITED)
		return false;
	parts = verdict_parts(outcome->status, outcome->output, outcome->length,
	    delivery->utf8, delivery->recipients);
	if (parts == VERDICT_WRONG)
		outcome->end = VERDICT_KILLED;
	return parts == VERDICT_EACH;
}

size_t
deliver(
    struct delivery *delivery, struct feed *message, char reply[REPLY_MAX + 1])
{
	static PAGED char room[REPLY_MAX + 1];
	static struct outcome one = {.output = room, .room = sizeof room}, each;
	struct runnable runnable = {
	    .command = delivery->command,
	    .timeout = delivery->timeout,
	    .environment = delivery->environment,
	};
	size_t replies = delivery->recipients ? delivery->recipients : 1;
	struct outcome *outcome = replies > 1 ? &each : &one;

	delivery->each = (struct replies){0};
	outcome->limit = replies * REPLY_MAX + 1;
	run_whole(&runnable, message, outcome);
	if (outcome->stopped)
		return 0;
	if (parted(outcome, delivery)) {
		const char *text;
		size_t length;

		delivery->each =
		    (struct replies){outcome->output, outcome->length};
		replies_worst(&delivery->each, &text, &length);
		memcpy(reply, text, length);
		return length;
	}
	return verdict(outcome->end, outcome->status, outcome->output,
	    outcome->length, delivery->utf8, reply, REPLY_MAX + 1);
}
