/* Rooms: json
 * Models: utf8
 * Pieces up to LENGTH octets, behind any part of a character. */
#include "json.h"

#include "prove.h"

enum { LENGTH = 6 };

static void
once(size_t length, unsigned char count)
{
	struct utf8 utf8;
	char *out = room(JSON_ESCAPED_MAX(length)), end[JSON_ESCAPED_MAX(0)];

	ANYTHING(utf8);
	utf8.count = count;
	(void)json_escape(&utf8, octets(length), length, out);
	//@ assert utf8.count <= 3;
	(void)json_escape_end(&utf8, end);
}

void
prove(void)
{
	//@ loop unroll 99;
	for (size_t length = 0; length <= LENGTH; length++) {
		//@ loop unroll 99;
		for (unsigned char count = 0; count <= 3; count++)
			once(length, count);
	}
}
