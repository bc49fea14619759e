/* Rooms: hops
 * With: text utf8
 * Pieces up to LENGTH octets, in any state. */
#include "hops.h"

#include "prove.h"

enum { LENGTH = 10 };

static void
once(size_t length, int state, size_t matched)
{
	struct hops hops = {
	    .count = any_size(0, SIZE_MAX),
	    .matched = matched,
	};

	hops.state = state;
	hops_count(&hops, octets(length), length);
	//@ assert hops.state != HOPS_NAME || hops.matched < 9;
}

void
prove(void)
{
	//@ loop unroll 99;
	for (size_t length = 0; length <= LENGTH; length++) {
		once(length, HOPS_LINE_START, any_size(0, 9));
		//@ loop unroll 99;
		for (size_t matched = 0; matched < sizeof "received:" - 1;
		     matched++)
			once(length, HOPS_NAME, matched);
		once(length, HOPS_REST, any_size(0, 9));
		once(length, HOPS_BODY, any_size(0, 9));
	}
}
