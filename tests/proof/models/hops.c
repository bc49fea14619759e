/* The room hops: it reads all that it is given and counts anything. */
#include "hops.h"

#include "prove.h"

void
hops_count(struct hops *hops, const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		(void)text[i];
	hops->count = any_size(0, SIZE_MAX);
	hops->matched = any_size(0, 8);
	hops->state = any_int(HOPS_LINE_START, HOPS_BODY);
}
