#include "number.h"

bool
number_parse(const char *text, size_t length, uint64_t max, uint64_t *value)
{
	uint64_t sum = 0;

	if (length == 0)
		return false;
	for (size_t i = 0; i < length; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		uint64_t digit = (uint64_t)(text[i] - '0');
		/* sum * 10 + digit > max, asked without overflow. */
		if (digit > max || sum > (max - digit) / 10)
			return false;
		sum = sum * 10 + digit;
	}
	*value = sum;
	return true;
}

size_t
number_format(uint64_t value, char out[NUMBER_TEXT_MAX])
{
	size_t length = 0;

	for (uint64_t rest = value; length == 0 || rest > 0; rest /= 10)
		length++;
	for (size_t i = length; i > 0; value /= 10)
		out[--i] = (char)('0' + value % 10);
	return length;
}
