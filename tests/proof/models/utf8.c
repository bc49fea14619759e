/* The room utf8 with a utf8_add() that finds a character whole, cut or bad
 * wherever it may be, whatever its octets are. */
#include "prove.h"

#define utf8_add utf8_add_itself
#include "utf8.h"
#include <utf8.c>
#undef utf8_add

enum utf8_step utf8_add(struct utf8 *utf8, unsigned char octet);

enum utf8_step
utf8_add(struct utf8 *utf8, unsigned char octet)
{
	if (any_bool())
		return UTF8_BAD;
	utf8->octets[utf8->count++] = octet;
	if (utf8->count == 4 || any_bool())
		return UTF8_WHOLE;
	return UTF8_PART;
}
