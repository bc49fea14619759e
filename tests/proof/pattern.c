/* Rooms: pattern
 * Limits: PATTERN_PATH_MAX=8 PATTERN_PART_MAX=5 MAILBOX_PART_MAX=3
 * Patterns up to LENGTH octets, valid or not, for any mailbox. */
#include "pattern.h"

#include "prove.h"

enum { LENGTH = 4 };

static void
once(size_t length, size_t local, size_t domain)
{
	char *pattern = octets(length);
	struct mailbox mailbox = {
	    .local_length = local,
	    .length = local + 1 + domain,
	};
	struct path path;

	Frama_C_make_unknown(mailbox.text, sizeof mailbox.text);
	(void)pattern_valid(pattern, length);
	if (pattern_expand(pattern, length, &mailbox, &path))
		(void)path.text[path.length];
}

void
prove(void)
{
	//@ loop unroll 99;
	for (size_t length = 0; length <= LENGTH; length++)
		//@ loop unroll 99;
		for (size_t local = 1; local <= MAILBOX_PART_MAX; local++)
			//@ loop unroll 99;
			for (size_t n = 1; n <= MAILBOX_PART_MAX; n++)
				once(length, local, n);
}
