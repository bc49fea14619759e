#include "worker.h"

#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "io.h"
#include "user.h"

/* One message of the socket, whole; -1 with errno. */
static int
receive(int channel, void *message, size_t size)
{
	ssize_t length;

	do
		length = read(channel, message, size);
	while (length < 0 && errno == EINTR);
	if (length == (ssize_t)size)
		return 0;
	if (length >= 0)
		errno = ECHILD; /* the other one is gone */
	return -1;
}

static void
work(int channel, worker_act *act, void *context, int last)
{
	struct worker_result result;
	int step;

	while (receive(channel, &step, sizeof step) == 0) {
		result = act(context, step);
		/* Where nobody is left to hear it, the next read tells. */
		if (write(channel, &result, sizeof result) < 0)
			break;
	}
	(void)act(context, last);
}

/* The first message says whether it could become that user. */
static int
begin(struct worker *worker)
{
	struct worker_result result;

	if (receive(worker->channel, &result, sizeof result) < 0)
		return -1;
	errno = result.error;
	return result.status == EX_OK ? 0 : -1;
}

int
worker_start(struct worker *worker, const char *name, uid_t uid, gid_t gid,
    int keep, worker_act *act, void *context, int last)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return -1;
	worker->process = fork();
	if (worker->process == 0) {
		int kept[] = {ends[1], keep};
		struct worker_result result = {.status = EX_OK};

		io_close_others(kept, keep > 0 ? 2 : 1);
		if (!user_take(name, uid, gid))
			result = (struct worker_result){EX_OSERR, errno};
		if (write(ends[1], &result, sizeof result) > 0 &&
		    result.status == EX_OK)
			work(ends[1], act, context, last);
		_exit(EX_OK);
	}
	(void)close(ends[1]); /* the worker's */
	worker->channel = ends[0];
	if (worker->process < 0 || begin(worker) < 0) {
		int error = errno;
		worker_end(worker);
		errno = error;
		return -1;
	}
	return 0;
}

int
worker_step(struct worker *worker, int step, struct worker_result *result)
{
	if (write(worker->channel, &step, sizeof step) < 0)
		return -1;
	return receive(worker->channel, result, sizeof *result);
}

void
worker_end(struct worker *worker)
{
	(void)close(worker->channel);
	if (worker->process > 0)
		while (waitpid(worker->process, NULL, 0) < 0 && errno == EINTR)
			;
	*worker = (struct worker){0};
}
