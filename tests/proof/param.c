/* Rooms: param
 * With: text
 * Models: utf8
 * Octets: followed
 * Texts up to LENGTH octets. */
#include "param.h"

#include "prove.h"

enum { LENGTH = 4 };

static void
once(size_t length, bool utf8)
{
	char *text = octets(length);
	struct param param;
	size_t at = 0;

	while (param_next(text, length, utf8, &at, &param) == PARAM_FOUND) {
		(void)param_is(&param, "SIZE");
		(void)param_repeated(text, length, utf8, &param);
	}
}

static void
normalize(size_t length, bool utf8)
{
	(void)param_normalize(octets(length), length, utf8, room(length));
}

void
prove(void)
{
	//@ loop unroll 99;
	for (size_t length = 0; length <= LENGTH; length++)
		//@ loop unroll 99;
		for (int utf8 = 0; utf8 <= 1; utf8++) {
			once(length, utf8 != 0);
			normalize(length, utf8 != 0);
		}
}
