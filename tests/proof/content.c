/* Rooms: content
 * Limits: CONTENT_BLOCK=4
 * Pieces up to LENGTH octets in any state. */
#include "content.h"

#include "prove.h"

enum { LENGTH = 16 };

static void
once(size_t length)
{
	struct content content;

	ANYTHING(content);
	content.nul = any_bool();
	content.bare_return = any_bool();
	content.bare_newline = any_bool();
	content.unfinished = any_bool();
	content.eight_bit = any_bool();
	content.header_eight_bit = any_bool();
	content.body = any_bool();
	content.begun = any_bool();
	content_look(&content, octets(length), length);
	content_end(&content);
}

void
prove(void)
{
	//@ loop unroll 99;
	for (size_t length = 0; length <= LENGTH; length++)
		once(length);
}
