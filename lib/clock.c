#include "clock.h"

#include <time.h>

int64_t
clock_now(void)
{
	struct timespec now = {0};

	(void)clock_gettime(CLOCK_MONOTONIC, &now); /* POSIX has this clock */
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
