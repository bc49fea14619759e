#include "replies.h"

#include <string.h>

#include "reply.h"

bool
replies_next(
    struct replies *replies, const char **text, size_t *length, size_t *count)
{
	size_t span = reply_span(replies->text, replies->length);

	*text = replies->text;
	*length = span;
	*count = 0;
	while (span > 0 && replies->length >= span &&
	       memcmp(replies->text, *text, span) == 0) {
		replies->text += span;
		replies->length -= span;
		++*count;
	}
	return *count > 0;
}

void
replies_worst(const struct replies *replies, const char **text, size_t *length)
{
	struct replies rest = *replies;
	size_t count, span;
	const char *reply;

	*text = rest.text;
	*length = reply_span(rest.text, rest.length);
	while (replies_next(&rest, &reply, &span, &count)) {
		if (reply[0] == '2')
			continue;
		*text = reply;
		*length = span;
		return;
	}
}
