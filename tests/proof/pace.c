/* Rooms: pace
 * Eva: -warn-unsigned-overflow
 * Any rate and piece, in any minute, which began a message or went on. */
#include "pace.h"

#include "prove.h"

/* Seconds of one wait, of which there may be as many as fit into 32 bits. */
#define WAIT 0x7FFFFFFF
/* What one read brings, and many in a minute. */
#define PIECE 0x7FFFFFFF
#define PIECES 0xFFFFFFFFFFFF

void
prove(void)
{
	struct pace pace = {0};

	(void)pace_keep(&pace, any_size(0, 1UL << 32), any_size(0, PIECE),
	    any_int(0, WAIT));
	pace = (struct pace){.octets = any_size(0, PIECES),
	    .waited = any_int(0, PACE_MINUTE - 1)};
	(void)pace_keep(&pace, any_size(0, 1UL << 32), any_size(0, PIECE),
	    any_int(0, WAIT));
	//@ assert 0 <= pace.waited < PACE_MINUTE;
}
