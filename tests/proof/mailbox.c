/* Rooms: mailbox
 * With: text
 * Limits: MAILBOX_PART_MAX=3
 * Eva: -eva-slevel-function lower:0
 * Local parts and domains up to LENGTH octets, which is more than fits, of the
 * address or of the caller. */
#include "mailbox.h"

#include "prove.h"

enum { LENGTH = 2 * MAILBOX_PART_MAX + 3 };

static void
once(size_t local, size_t length, size_t domain)
{
	struct mailbox mailbox, other = {.length = MAILBOX_PART_MAX};
	struct address address = {
	    .text = octets(local),
	    .length = local,
	    .local_length = local,
	    .domain = octets(domain),
	    .domain_length = domain,
	};

	if (mailbox_name(
		&mailbox, &address, octets(length), length, any_bool())) {
		(void)mailbox.text[mailbox.length];
		(void)mailbox_same(&mailbox, &other);
	}
}

void
prove(void)
{
	//@ loop unroll 99;
	for (size_t local = 0; local <= LENGTH; local++) {
		//@ loop unroll 99;
		for (size_t length = 0; length <= LENGTH; length++) {
			once(local, length, 0);
			once(local, 0, length);
		}
	}
}
