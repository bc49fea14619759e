#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

/* The signals that POSIX names are below it. */
#define SIGNALS 32

/* Those that have no default action: exec leaves ignored what is so, and no
 * handler may run where memory is shared. A bit each. */
static uint32_t taken;
static bool known;

void
process_prepare(void)
{
	struct sigaction found;

	for (int signal = 1; !known && signal < SIGNALS; signal++)
		if (sigaction(signal, NULL, &found) == 0 &&
		    found.sa_handler != SIG_DFL)
			taken |= UINT32_C(1) << signal;
	known = true;
}

static void
reset_signals(void)
{
	const struct sigaction usual = {.sa_handler = SIG_DFL};
	sigset_t none;

	for (int signal = 1; signal < SIGNALS; signal++)
		if (taken & UINT32_C(1) << signal)
			(void)sigaction(signal, &usual, NULL); /* it exists */
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* One that is in its place already loses its close-on-exec only. */
static bool
place(int descriptor, int number)
{
	if (descriptor == number)
		return fcntl(number, F_SETFD, 0) == 0;
	return dup2(descriptor, number) == number;
}

/* In the child, which has its parent's memory until it executes; returns with
 * errno where it cannot. */
static void
become(const struct process *what)
{
	if (what->group && setpgid(0, 0) != 0)
		return;
	/* 3 is last: it may take the place of one of the others. */
	if (!place(what->in, 0) || !place(what->out, 1) ||
	    !place(what->err, 2) || (what->three > 2 && !place(what->three, 3)))
		return;
	reset_signals();
	(void)execve(what->path, what->arguments, what->environment);
}

int
process_start(pid_t *pid, const struct process *what)
{
	volatile int error = 0;
	sigset_t all, before;
	pid_t child;

	process_prepare();
	/* No handler of ours runs in the child. */
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, &before);
	child = vfork();
	if (child == 0) {
		become(what);
		error = errno;
		_exit(127);
	}
	if (child < 0)
		error = errno;
	else if (error)
		while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
			continue;
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	*pid = child;
	return error;
}
