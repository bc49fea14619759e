/* Rooms: listname
 * Local parts up to LENGTH octets, longer than the longest command. */
#include "listname.h"

#include "prove.h"

enum { LENGTH = 13 };

static void
once(size_t length)
{
	struct listname listname = {.text = octets(length), .length = length};

	while (listname_next(&listname)) {
		(void)listname.text[listname.name - 1];
		listname.command = NULL; /* not looked at */
	}
}

void
prove(void)
{
	//@ loop unroll 99;
	for (size_t length = 0; length <= LENGTH; length++)
		once(length);
}
