#include "hops.h"

#include <string.h>

#include "text.h"

static const char name[] = "received:";

/* One octet of what may be the name of a field. */
static void
name_octet(struct hops *hops, char c)
{
	if (hops->state == HOPS_LINE_START) {
		hops->matched = 0;
		hops->state = HOPS_NAME;
		if (c == '\r')
			return;
	}
	if (c == '\n') {
		hops->state = hops->matched == 0 ? HOPS_BODY : HOPS_LINE_START;
	} else if (text_lower(c) != name[hops->matched]) {
		hops->state = HOPS_REST;
	} else if (name[++hops->matched] == '\0') {
		hops->count++;
		hops->state = HOPS_REST;
	}
}

void
hops_count(struct hops *hops, const char *text, size_t length)
{
	const char *end = text + length, *newline;

	while (text < end && hops->state != HOPS_BODY) {
		if (hops->state != HOPS_REST) {
			name_octet(hops, *text++);
			continue;
		}
		newline = memchr(text, '\n', (size_t)(end - text));
		if (!newline)
			return;
		hops->state = HOPS_LINE_START;
		text = newline + 1;
	}
}
