/* What the room machine asks of the room receive; says anything. */
#include "receive.h"

#include "prove.h"

bool
is_bdat(const struct smtp *smtp)
{
	(void)smtp->event.command;
	return any_bool();
}

void
receive_refused(struct smtp *smtp, size_t start)
{
	(void)smtp->output[start];
	smtp->discard = any_size(0, SIZE_MAX);
	smtp->held = any_bool() ? smtp->output_length - start : 0;
	smtp->dropped = NULL;
	smtp->verdicts = any_size(0, SIZE_MAX);
}
