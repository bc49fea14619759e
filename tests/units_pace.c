/* Units of the pace of message data. */
#include "pace.h"

#include "units.h"

void
units_pace(void)
{
	struct pace pace = {0};

	/* Nobody is judged before his minute is over. */
	CHECK(pace_keep(&pace, 100, 0, PACE_MINUTE - 1));
	CHECK(!pace_keep(&pace, 100, 0, 1));
	/* Then a new one begins. */
	CHECK(pace_keep(&pace, 100, 0, PACE_MINUTE - 1));
	CHECK(pace_keep(&pace, 100, 6000, 1));
	CHECK(pace_keep(&pace, 100, 0, 0));
	CHECK(!pace_keep(&pace, 100, 5999, PACE_MINUTE));
	CHECK(pace_keep(&pace, 100, 6000, PACE_MINUTE));
	/* A longer one asks for more. */
	CHECK(!pace_keep(&pace, 100, 11999, 2 * PACE_MINUTE));
	CHECK(pace_keep(&pace, 100, 12000, 2 * PACE_MINUTE));
	/* In many pieces. */
	for (int i = 0; i < 60; i++)
		CHECK(pace_keep(&pace, 100, 100, 1000));
	for (int i = 0; i < 60; i++)
		CHECK(pace_keep(&pace, 100, 99, 1000) == (i < 59));
	/* What takes no time is fast; 0 is any pace. */
	for (int i = 0; i < 60; i++)
		CHECK(pace_keep(&pace, 4000000000, 1, 0));
	pace = (struct pace){0};
	CHECK(pace_keep(&pace, 0, 0, 1000 * (long)PACE_MINUTE));
	CHECK(!pace_keep(&pace, 4000000000, 0, 1000 * (long)PACE_MINUTE));
}
