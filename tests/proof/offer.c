/* Rooms: offer
 * With: number text utf8
 * Lines up to LENGTH octets. */
#include "offer.h"

#include "prove.h"

enum { LENGTH = 7 };

static void
once(size_t length)
{
	struct offer offer = {0};

	offer_learn(&offer, octets(length), length);
}

void
prove(void)
{
	//@ loop unroll 99;
	for (size_t length = 0; length <= LENGTH; length++)
		once(length);
}
