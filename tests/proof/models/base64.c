/* The room base64 with a base64_decode() that reads all that it is given and
 * decodes it to anything, or not. */
#include "base64.h"

#include "prove.h"

#define base64_decode base64_decode_itself
#define base64_valid base64_valid_itself
#include <base64.c>
#undef base64_decode
#undef base64_valid

bool base64_decode(const char *text, size_t length, char *out, size_t *decoded);
bool base64_valid(const char *text, size_t length);

bool
base64_valid(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		(void)text[i];
	return any_bool();
}

bool
base64_decode(const char *text, size_t length, char *out, size_t *decoded)
{
	size_t padding = 0;

	if (!base64_valid(text, length) || length % 4 != 0)
		return false;
	while (padding < 2 && length > padding && any_bool())
		padding++;
	*decoded = length / 4 * 3 - padding;
	if (*decoded > 0)
		Frama_C_make_unknown((char *)out, *decoded);
	return true;
}
