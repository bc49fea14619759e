#include "deliver.h"

#include "verdict.h"

size_t
deliver(
    struct delivery *delivery, struct feed *message, char reply[REPLY_MAX + 1])
{
	static struct outcome outcome;
	struct runnable runnable = {
	    .command = delivery->command,
	    .timeout = delivery->timeout,
	    .environment = delivery->environment,
	};

	run_whole(&runnable, message, &outcome);
	if (outcome.stopped)
		return 0;
	return verdict(outcome.end, outcome.status, outcome.output,
	    outcome.length, delivery->utf8, reply, REPLY_MAX + 1);
}
