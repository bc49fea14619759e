#include "listname.h"

#include <string.h>

/* Behind the hyphen; each is what Mailman's wrapper calls it, too. */
static const char *const commands[] = {"admin", "bounces", "confirm", "join",
    "leave", "owner", "request", "subscribe", "unsubscribe"};

/* The command that text is, up to an extension; NULL if it is none. */
static const char *
command_of(const char *text, size_t length)
{
	const char *plus = memchr(text, '+', length);

	if (plus)
		length = (size_t)(plus - text);
	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
		if (strlen(commands[i]) == length &&
		    memcmp(commands[i], text, length) == 0)
			return commands[i];
	return NULL;
}

bool
listname_next(struct listname *listname)
{
	const char *text = listname->text;

	if (!listname->begun) {
		listname->begun = true;
		listname->name = listname->length;
		listname->command = "post";
		return listname->length > 0;
	}
	while (listname->name > 1) {
		size_t behind = listname->name--;

		if (text[listname->name] != '-')
			continue;
		listname->command =
		    command_of(text + behind, listname->length - behind);
		if (listname->command)
			return true;
	}
	return false;
}
