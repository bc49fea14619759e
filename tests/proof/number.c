/* Rooms: number
 * Texts up to LENGTH octets, longer than the longest number, with any maximum;
 * any number. */
#include "number.h"

#include "prove.h"

enum { LENGTH = 22 };

static void
once(size_t length)
{
	char *text = octets(length), out[NUMBER_TEXT_MAX];
	uint64_t value;

	if (number_parse(text, length, any_size(0, SIZE_MAX), &value))
		(void)out[number_format(value, out) - 1];
}

void
prove(void)
{
	//@ loop unroll 99;
	for (size_t length = 0; length <= LENGTH; length++)
		once(length);
}
