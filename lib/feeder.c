#include "feeder.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io.h"

/* Signals that should end smtpd are blocked, and stay so. */
static _Noreturn void
work(struct feed *message, int pipe)
{
	struct pollfd room = {.fd = pipe, .events = POLLOUT};
	int keep[] = {pipe, message->spool->file};
	enum feed_result result;

	/* Neither the client nor the other end of the pipe. */
	(void)close(0);
	(void)close(1);
	io_close_others(keep, keep[1] >= 0 ? 2 : 1);
	while ((result = spool_feed(message, pipe)) == FEED_MORE)
		(void)poll(&room, 1, -1); /* what it finds, the next one does */
	_exit(result == FEED_FAILED);
}

pid_t
feeder_start(struct feed *message, int pipe)
{
	pid_t pid = fork();

	if (pid == 0)
		work(message, pipe);
	return pid;
}

/* waitpid(2), however often a signal comes. */
static pid_t
wait_for(pid_t pid, int *status, int flags)
{
	pid_t ended;

	do
		ended = waitpid(pid, status, flags);
	while (ended < 0 && errno == EINTR);
	return ended;
}

enum feed_result
feeder_look(pid_t feeder)
{
	int status;
	pid_t ended = wait_for(feeder, &status, WNOHANG);

	if (ended == 0)
		return FEED_MORE;
	return ended == feeder && WIFEXITED(status) && WEXITSTATUS(status) == 0
		   ? FEED_DONE
		   : FEED_FAILED;
}

void
feeder_end(pid_t *feeder)
{
	int status;

	if (*feeder <= 0)
		return;
	(void)kill(*feeder, SIGKILL); /* it is ours until we have waited */
	(void)wait_for(*feeder, &status, 0);
	*feeder = 0;
}
