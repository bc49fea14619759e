#include "hearing.h"

#include <string.h>

/* Takes one packet from the agent; false if there will be none. */
static bool
hear(struct hearing *hearing)
{
	struct record record;

	if (!channel_hear(hearing->channel))
		return false;
	while (channel_next(hearing->channel, &record)) {
		if (record.type == RECORD_WINDOW)
			window_returned(hearing->window);
		if (record.type != RECORD_REPLY ||
		    record.first_length > REPLY_MAX)
			continue;
		hearing->heard = true;
		hearing->recipients = record.number;
		hearing->length = record.first_length;
		if (record.first_length > 0)
			memcpy(hearing->verdict, record.first,
			    record.first_length);
	}
	return true;
}

void
hearing_wait(struct hearing *hearing)
{
	hearing->heard = false;
	hearing->recipients = 0;
	while (!hearing->heard && hear(hearing))
		continue;
}

bool
hearing_next(struct hearing *hearing, const char **text, size_t *length)
{
	if (hearing->recipients == 0 && !hearing->channel->broken) {
		channel_tell(
		    hearing->channel, &(struct record){.type = RECORD_VERDICT});
		channel_send(hearing->channel);
		hearing_wait(hearing);
	}
	if (hearing->recipients == 0)
		return false;
	hearing->recipients--;
	*text = hearing->verdict;
	*length = hearing->length;
	return true;
}
