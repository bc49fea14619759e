/* The room reply with a reply_code() and a reply_span() that read all that they
 * may read and say anything; tests/proof/reply.c proves that of the real ones,
 * tests/units_reply.c tries which code they say. */
#include "reply.h"

#include "prove.h"

#define reply_code reply_code_itself
#define reply_span reply_span_itself
#include <reply.c>
#undef reply_code
#undef reply_span

int reply_code(const char *text, size_t length, bool utf8);
size_t reply_span(const char *text, size_t length);

int
reply_code(const char *text, size_t length, bool utf8)
{
	(void)utf8;
	for (size_t i = 0; i < length; i++)
		(void)text[i];
	if (length == 0 || length > REPLY_MAX || any_bool())
		return 0;
	return any_int(200, 559);
}

/* At the end 0, else one octet at least; each is tried alone. */
size_t
reply_span(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		(void)text[i];
		if (any_bool())
			return i + 1;
	}
	return length;
}
