/* The room number with a number_parse() that reads all that it is given and
 * finds any number up to max, or none. That it finds no greater one, Eva does
 * not see, since it takes sum and digit apart: where sum * 10 + digit would be
 * more than max, sum is more than (max - digit) / 10. tests/units.c tries
 * it. */
#include "number.h"

#include "prove.h"

#define number_parse number_parse_itself
#include <number.c>
#undef number_parse

bool number_parse(
    const char *text, size_t length, uint64_t max, uint64_t *value);

bool
number_parse(const char *text, size_t length, uint64_t max, uint64_t *value)
{
	for (size_t i = 0; i < length; i++)
		(void)text[i];
	if (length == 0 || any_bool())
		return false;
	*value = any_size(0, max);
	return true;
}
