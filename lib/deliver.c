#include "deliver.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "complaint.h"
#include "log.h"
#include "signals.h"
#include "verdict.h"

/* Octets that a new pipe holds on Linux, and those to ask for for more. */
#define PIPE_OCTETS (64 * 1024)
#define PIPE_MORE_OCTETS (1024 * 1024)

/* A command that is running. */
struct run {
	pid_t pid;
	int in;  /* to its descriptor 0; -1 when it is closed */
	int out; /* from its descriptor 1 */
	int64_t deadline;
	bool failed; /* it cannot have the whole message: it was killed */
	size_t length;
	size_t limit; /* octets of output; one too many is no reply */
	size_t room;  /* of them there is memory for */
	char *output; /* kept for the next run */
};

static void
close_end(int *end)
{
	if (*end >= 0)
		(void)close(*end); /* a pipe has nothing left to fail at */
	*end = -1;
}

/* Makes both pipes; our ends do not block. */
static bool
make_pipes(struct run *run, int theirs[2], bool big)
{
	int in[2], out[2];

	if (pipe2(in, O_CLOEXEC) != 0)
		return false;
	if (pipe2(out, O_CLOEXEC) != 0) {
		(void)close(in[0]);
		(void)close(in[1]);
		return false;
	}
#ifdef F_SETPIPE_SZ
	if (big)
		(void)fcntl(in[1], F_SETPIPE_SZ, PIPE_MORE_OCTETS);
#endif
	(void)fcntl(in[1], F_SETFL, O_NONBLOCK); /* a pipe can do that */
	(void)fcntl(out[0], F_SETFL, O_NONBLOCK);
	run->in = in[1];
	run->out = out[0];
	theirs[0] = in[0];
	theirs[1] = out[1];
	return true;
}

/* False if it may not be killed: it has become another user. */
static bool
kill_group(const struct run *run)
{
	return kill(-run->pid, SIGKILL) == 0 || errno == ESRCH;
}

static void
feed_more(struct run *run, struct feed *message)
{
	switch (spool_feed(message, run->in)) {
	case FEED_MORE:
		return;
	case FEED_FAILED:
		/* Before it sees an end that is none. */
		run->failed = true;
		if (run->pid > 0)
			(void)kill_group(run); /* else it gets a torn one */
		break;
	case FEED_DONE:
	case FEED_CLOSED:
		break;
	}
	close_end(&run->in);
}

/* Octets that there is room for, up to the limit. Where there is no memory its
 * verdict is lost. */
static size_t
make_room(struct run *run)
{
	size_t room = 2 * run->room + REPLY_MAX;
	char *output;

	if (run->length < run->room)
		return (run->room < run->limit ? run->room : run->limit) -
		       run->length;
	if (run->length >= run->limit)
		return 0;
	output = realloc(run->output, room);
	if (!output) {
		run->failed = true;
		return 0;
	}
	run->output = output;
	run->room = room;
	return (room < run->limit ? room : run->limit) - run->length;
}

/* Takes what it has printed; what is too much is thrown away. */
static void
take_output(struct run *run)
{
	char spare[4096];

	for (int reads = 0; reads < 64; reads++) {
		size_t room = make_room(run);
		ssize_t n =
		    room > 0 ? read(run->out, run->output + run->length, room)
			     : read(run->out, spare, sizeof spare);

		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0)
			close_end(&run->out);
		if (n <= 0)
			return;
		if (room > 0)
			run->length += (size_t)n;
	}
}

/* Waits for something to do, and does it. */
static void
attend(struct run *run, struct feed *message)
{
	struct pollfd polled[] = {
	    {.fd = run->in, .events = POLLOUT},
	    {.fd = run->out, .events = POLLIN},
	    {.fd = complaint_source(), .events = POLLIN},
	};
	int64_t left = run->deadline - clock_now();

	if (signals_wait(polled, 3, left > 0 ? (int)left : 0) <= 0)
		return;
	if (polled[0].revents)
		feed_more(run, message);
	if (polled[1].revents)
		take_output(run);
	if (polled[2].revents)
		complaint_take();
}

/* Its time is up. */
static void
end_by_force(struct run *run, int *status)
{
	bool killed = kill_group(run);

	log_error("command killed: it ran into its time-out "
		  "(--command-timeout)%s%s",
	    killed ? "" : "; cannot kill it: ", killed ? "" : strerror(errno));
	while (killed && waitpid(run->pid, status, 0) < 0 && errno == EINTR)
		continue;
}

/* True if it is not to be waited for any longer. An end of file before the
 * message's end would look like it: so it is fed first. */
static bool
given_up(const struct run *run)
{
	return signals_stops() > 1 && run->in < 0;
}

/* The end of the command: its wait(2) status in *status. */
static enum verdict_end
wait_for_end(struct run *run, struct feed *message, int *status)
{
	for (;;) {
		pid_t ended = waitpid(run->pid, status, WNOHANG);

		if (ended == run->pid)
			break;
		if (ended < 0 && errno != EINTR)
			return VERDICT_KILLED; /* somebody else took it */
		if (clock_now() >= run->deadline) {
			end_by_force(run, status);
			return VERDICT_KILLED;
		}
		if (given_up(run))
			return VERDICT_NOT_RUN;
		attend(run, message);
	}
	if (run->out >= 0)
		take_output(run);
	complaint_end();
	return WIFEXITED(*status) && !run->failed ? VERDICT_EXITED
						  : VERDICT_KILLED;
}

static bool
start(struct run *run, struct delivery *delivery, struct feed *message)
{
	uint64_t size = message->head_length + spool_size(message->spool);
	int theirs[2];

	if (!delivery->environment ||
	    !make_pipes(run, theirs, size > PIPE_OCTETS)) {
		log_error("cannot run the command: %s", strerror(errno));
		return false;
	}
	/* What fits is in the pipe before there is anyone to read it: he will
	 * not have to wait for us. */
	feed_more(run, message);
	if (!run->failed)
		run->pid = command_start(delivery->command, theirs[0],
		    theirs[1], complaint_descriptor(), delivery->environment);
	(void)close(theirs[0]); /* pipes: nothing to fail at */
	(void)close(theirs[1]);
	if (run->pid > 0)
		return true;
	close_end(&run->in);
	close_end(&run->out);
	return false;
}

/* In LMTP: true if each recipient has a reply of its own, and none if the
 * output is wrong. */
static bool
parted(const struct run *run, struct delivery *delivery, int status,
    enum verdict_end *end)
{
	enum verdict_parts parts;

	if (delivery->recipients == 0 || *end != VERDICT_EXITED)
		return false;
	parts = verdict_parts(status, run->output, run->length, delivery->utf8,
	    delivery->recipients);
	if (parts == VERDICT_WRONG)
		*end = VERDICT_KILLED;
	return parts == VERDICT_EACH;
}

size_t
deliver(
    struct delivery *delivery, struct feed *message, char reply[REPLY_MAX + 1])
{
	static struct run run;
	enum verdict_end end = VERDICT_NOT_RUN;
	int status = 0;
	size_t replies = delivery->recipients ? delivery->recipients : 1;

	delivery->each = (struct replies){0};
	run.limit = replies * REPLY_MAX + 1;
	run.pid = -1;
	run.failed = false;
	run.length = 0;
	run.in = run.out = -1;
	run.deadline = clock_now() + (int64_t)delivery->timeout * 1000;
	if (start(&run, delivery, message)) {
		end = wait_for_end(&run, message, &status);
		close_end(&run.in);
		close_end(&run.out);
		if (end == VERDICT_NOT_RUN)
			return 0;
	} else if (run.failed) {
		end = VERDICT_KILLED;
	}
	if (parted(&run, delivery, WEXITSTATUS(status), &end)) {
		const char *text;
		size_t length;

		delivery->each = (struct replies){run.output, run.length};
		replies_worst(&delivery->each, &text, &length);
		memcpy(reply, text, length);
		return length;
	}
	return verdict(end, WEXITSTATUS(status), run.output, run.length,
	    delivery->utf8, reply, REPLY_MAX + 1);
}
