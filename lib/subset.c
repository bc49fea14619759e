#include "subset.h"

#include <string.h>

/* Adds a line; the newline is before it. */
static void
put(char *lines, size_t *length, bool first, struct piece line)
{
	if (!first)
		lines[(*length)++] = '\n';
	if (line.length > 0)
		memcpy(lines + *length, line.text, line.length);
	*length += line.length;
}

bool
subset_add(struct subset *subset, struct piece address, struct piece options)
{
	bool first = subset->count == 0;

	if (address.length >= SUBSET_MAX - subset->addresses_length ||
	    options.length >= SUBSET_MAX - subset->options_length)
		return false;
	put(subset->addresses, &subset->addresses_length, first, address);
	put(subset->options, &subset->options_length, first, options);
	subset->count++;
	return true;
}

struct recipients
subset_recipients(const struct subset *subset)
{
	if (subset->count == 0)
		return (struct recipients){0};
	return (struct recipients){
	    .addresses = {subset->addresses, subset->addresses_length},
	    .options = {subset->options, subset->options_length},
	};
}
