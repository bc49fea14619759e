#include "window.h"

#include <string.h>

#include "spool.h"

char *
window_place(const struct window *window, size_t *room)
{
	*room = SPOOL_WINDOW - window->filled;
	return window->memory + (size_t)window->index * SPOOL_WINDOW +
	       window->filled;
}

void
window_returned(struct window *window)
{
	window->lent--;
}

static void
hand_over(struct window *window, struct channel *channel)
{
	struct record record = {
	    .type = RECORD_CONTENT,
	    .number = window->filled,
	};

	channel_tell(channel, &record);
	channel_send(channel);
	window->lent++;
	window->index ^= 1;
	window->filled = 0;
	while (window->lent > 1 && channel_hear(channel))
		while (channel_next(channel, &record))
			if (record.type == RECORD_WINDOW)
				window_returned(window);
}

void
window_keep(struct window *window, struct channel *channel, const char *text,
    size_t length)
{
	while (length > 0 && !channel->broken) {
		size_t n;
		char *place = window_place(window, &n);

		if (n > length)
			n = length;
		if (place != text)
			memmove(place, text, n);
		window->filled += n;
		text += n;
		length -= n;
		if (window->filled == SPOOL_WINDOW)
			hand_over(window, channel);
	}
}
