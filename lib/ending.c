#include "ending.h"

#include <stddef.h>

static const int endings[] = {SIGTERM, SIGINT, SIGHUP};
#define ENDINGS (sizeof endings / sizeof endings[0])

int
ending_hold(sigset_t *before)
{
	sigset_t held;

	(void)sigemptyset(&held); /* neither can fail: the numbers are good */
	for (size_t i = 0; i < ENDINGS; i++)
		(void)sigaddset(&held, endings[i]);
	return sigprocmask(SIG_BLOCK, &held, before);
}

bool
ending_came(void)
{
	sigset_t pending;

	if (sigpending(&pending) < 0)
		return false;
	for (size_t i = 0; i < ENDINGS; i++)
		if (sigismember(&pending, endings[i]) == 1)
			return true;
	return false;
}
