/* Rooms: xtext
 * With: text
 * Models: utf8
 * Texts up to LENGTH octets. */
#include "xtext.h"

#include "prove.h"
#include "text.h"

enum { LENGTH = 8 };

static void
once(size_t length)
{
	char octet;

	if (xtext_next(octets(length), length, &octet) > 0)
		(void)text_is_print(octet);
}

void
prove(void)
{
	//@ loop unroll 99;
	for (size_t length = 0; length <= LENGTH; length++)
		once(length);
}
