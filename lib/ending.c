#include "ending.h"

#include <errno.h>
#include <poll.h>
#include <stddef.h>

static const int endings[] = {SIGTERM, SIGINT, SIGHUP};
#define ENDINGS (sizeof endings / sizeof endings[0])

static volatile sig_atomic_t came;

static void
note(int signal)
{
	(void)signal;
	came = 1;
}

/* Has them noted where they would end the process; *free is the mask without
 * them. */
static int
note_them(sigset_t *free)
{
	if (sigprocmask(SIG_BLOCK, NULL, free) < 0)
		return -1;
	for (size_t i = 0; i < ENDINGS; i++) {
		struct sigaction action;

		if (sigaction(endings[i], NULL, &action) < 0)
			return -1;
		if (action.sa_handler == SIG_DFL) {
			action = (struct sigaction){.sa_handler = note};
			if (sigaction(endings[i], &action, NULL) < 0)
				return -1;
		}
		(void)sigdelset(free, endings[i]); /* the numbers are good */
	}
	return 0;
}

int
ending_wait(int descriptor)
{
	static bool noted;
	static sigset_t free;
	struct pollfd polled = {.fd = descriptor, .events = POLLIN};
	int found;

	if (!noted && note_them(&free) < 0)
		return -1;
	noted = true;
	do
		found = ppoll(&polled, 1, NULL, &free);
	while (found < 0 && errno == EINTR && !came);
	return found < 0 ? -1 : 0;
}

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

	if (came)
		return true;
	if (sigpending(&pending) < 0)
		return false;
	for (size_t i = 0; i < ENDINGS; i++)
		if (sigismember(&pending, endings[i]) == 1)
			return true;
	return false;
}
