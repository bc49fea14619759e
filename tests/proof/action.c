/* Rooms: action
 * With: clean reply text utf8
 * Answers and actions up to LENGTH octets. */
#include "action.h"

#include "prove.h"

enum { LENGTH = 14 };

static void
once(size_t length, bool utf8)
{
	const char *text = octets(length), *value;
	struct action action;
	size_t n;

	if (action_find(text, length, &value, &n) == ACTION_FOUND)
		(void)value[n - 1];
	action_read(&action, text, length, utf8);
}

void
prove(void)
{
	//@ loop unroll 99;
	for (size_t length = 0; length <= LENGTH; length++) {
		once(length, false);
		once(length, true);
	}
}
