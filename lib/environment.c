#include "environment.h"

#include <stdlib.h>
#include <string.h>

struct piece
environment_value(const char *name)
{
	struct piece value = {.text = getenv(name)};

	if (value.text)
		value.length = strlen(value.text);
	return value;
}

/* Takes off *rest what stands before the next separator, and both. */
static struct piece
take(struct piece *rest, char separator)
{
	struct piece taken = *rest;
	const char *end = memchr(rest->text, separator, rest->length);

	*rest = (struct piece){0};
	if (end) {
		size_t length = taken.length;
		taken.length = (size_t)(end - taken.text);
		rest->text = end + 1;
		rest->length = length - taken.length - 1;
	}
	return taken;
}

bool
piece_next_line(struct piece *lines, struct piece *line)
{
	if (!lines->text)
		return false;
	*line = take(lines, '\n');
	return true;
}

bool
piece_next_word(struct piece *words, struct piece *word)
{
	while (words->text) {
		*word = take(words, ' ');
		if (word->length > 0)
			return true;
	}
	return false;
}

struct recipients
environment_recipients(void)
{
	struct recipients all = {
	    .addresses = environment_value("RECIPIENTS"),
	    .options = environment_value("SMTP_RCPT_OPTIONS"),
	};

	if (all.addresses.length == 0)
		all = (struct recipients){0};
	return all;
}

bool
recipients_next(
    struct recipients *recipients, struct piece *address, struct piece *options)
{
	if (!piece_next_line(&recipients->addresses, address))
		return false;
	if (!piece_next_line(&recipients->options, options) ||
	    options->length == 0)
		*options = (struct piece){0};
	return true;
}
