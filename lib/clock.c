#include "clock.h"

#include <time.h>
#ifdef __linux__
#include <sys/syscall.h>
#include <unistd.h>
#endif

/* POSIX has both clocks. A session asks for the time so seldom that the system
 * call costs less than the two page faults of the vDSO. */
static struct timespec
read_clock(clockid_t clock)
{
	struct timespec now = {0};

#if defined __linux__ && defined __LP64__
	(void)syscall(SYS_clock_gettime, clock, &now);
#else
	(void)clock_gettime(clock, &now);
#endif
	return now;
}

int64_t
clock_now(void)
{
	struct timespec now = read_clock(CLOCK_MONOTONIC);

	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t
clock_date(void)
{
	struct timespec now = read_clock(CLOCK_REALTIME);

	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}
