#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "complaint.h"
#include "feeder.h"
#include "log.h"
#include "signals.h"

/* Octets that a new pipe holds on Linux, and those to ask for for more. */
#define PIPE_OCTETS (64 * 1024)
#define PIPE_MORE_OCTETS (1024 * 1024)

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
	run->held = out[1];
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

/* What becomes of its end of the pipe. */
static void
take_feeding(struct run *run, enum feed_result result)
{
	switch (result) {
	case FEED_MORE:
		return;
	case FEED_FAILED:
		/* Before it sees an end that is none. */
		run->failed = true;
		if (run->pid > 0)
			(void)kill_group(run); /* else it gets a torn one */
		break;
	case FEED_DONE:
		run->fed = true;
		if (run->more)
			return;
		break;
	case FEED_CLOSED:
		break;
	}
	close_end(&run->in);
}

static void
feed_more(struct run *run, struct feed *message)
{
	take_feeding(run, spool_feed(message, run->in));
}

/* Looks how somebody else feeds it. */
static void
look_at_feeder(struct run *run)
{
	enum feed_result result = feeder_look(run->feeder);

	if (result != FEED_MORE)
		run->feeder = 0;
	take_feeding(run, result);
}

/* The rest did not fit: who feeds it lives on if we do not. */
static void
feed_aside(struct run *run, struct feed *message)
{
	pid_t feeder = feeder_start(message, run->in);

	if (feeder > 0) {
		run->feeder = feeder;
		return;
	}
	log_error("cannot feed the %s: %s", run->what, strerror(errno));
	run->failed = true;
}

/* Room for all of its output that is looked at, before it starts: where there
 * is no memory it has not delivered. What is not written to costs none. */
static bool
make_room(struct outcome *outcome)
{
	char *output;

	if (outcome->room >= outcome->limit)
		return true;
	output = realloc(outcome->output, outcome->limit);
	if (!output)
		return false;
	outcome->output = output;
	outcome->room = outcome->limit;
	return true;
}

/* Takes what it has printed; what is too much is thrown away. */
static void
take_output(struct run *run)
{
	struct outcome *to = run->outcome;
	char spare[1024]; /* it may repeat a password: wiped with the stack */

	for (int reads = 0; reads < 64; reads++) {
		size_t room = to->limit - to->length;
		ssize_t n = room > 0
				? read(run->out, to->output + to->length, room)
				: read(run->out, spare, sizeof spare);

		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0)
			close_end(&run->out);
		if (n <= 0)
			return;
		if (room > 0)
			to->length += (size_t)n;
	}
}

/* Waits for something to do, and does it. */
static void
attend(struct run *run, struct feed *message)
{
	struct pollfd polled[] = {
	    {.fd = run->fed || run->feeder ? -1 : run->in, .events = POLLOUT},
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

/* It is over: in what way. */
static bool
over(struct run *run, enum verdict_end end)
{
	run->outcome->end = end;
	run->pid = -1;
	close_end(&run->in);
	close_end(&run->out);
	close_end(&run->held);
	return true;
}

void
run_kill(struct run *run)
{
	int status;

	if (run->pid <= 0)
		return;
	feeder_end(&run->feeder);
	if (kill_group(run))
		while (waitpid(run->pid, &status, 0) < 0 && errno == EINTR)
			continue;
	else
		log_error("cannot kill the %s: %s", run->what, strerror(errno));
	(void)over(run, VERDICT_KILLED);
}

/* Its time is up. */
static bool
end_by_force(struct run *run)
{
	log_error("%s killed: it ran into its time-out (--command-timeout)",
	    run->what);
	run_kill(run);
	return true;
}

/* True if it is not to be waited for any longer. An end of file before the
 * message's end would look like it: so it is fed first, if we do that. */
static bool
given_up(const struct run *run)
{
	return signals_stops() > 1 && (run->in < 0 || run->fed || run->feeder);
}

bool
run_attend(struct run *run, struct feed *message)
{
	int status;
	pid_t ended;

	do
		ended = waitpid(run->pid, &status, WNOHANG);
	while (ended < 0 && errno == EINTR);
	if (ended != 0)
		feeder_end(&run->feeder);
	else if (run->feeder)
		look_at_feeder(run);
	if (ended == run->pid) {
		if (run->out >= 0)
			take_output(run);
		complaint_end();
		run->outcome->status = WEXITSTATUS(status);
		return over(run, WIFEXITED(status) && !run->failed
				     ? VERDICT_EXITED
				     : VERDICT_KILLED);
	}
	if (ended < 0)
		return over(run, VERDICT_KILLED); /* somebody else took it */
	if (clock_now() >= run->deadline)
		return end_by_force(run);
	if (given_up(run)) {
		run->outcome->stopped = true;
		return over(run, VERDICT_NOT_RUN);
	}
	attend(run, message);
	return false;
}

/* Its descriptors: with feeds_3 it reads nothing from 0. */
static pid_t
start(const struct runnable *runnable, const int theirs[2])
{
	int null = -1;
	int descriptors[] = {theirs[0], theirs[1], complaint_descriptor()};
	pid_t pid;

	if (runnable->feeds_3) {
		null = open("/dev/null", O_RDONLY | O_CLOEXEC);
		if (null < 0) {
			log_error("cannot open /dev/null: %s", strerror(errno));
			return -1;
		}
		descriptors[0] = null;
	}
	pid = command_start(runnable->command, descriptors,
	    runnable->feeds_3 ? theirs[0] : -1, runnable->environment);
	if (null >= 0)
		(void)close(null); /* nothing was written to it */
	return pid;
}

bool
run_start(struct run *run, struct runnable *runnable, struct feed *message,
    struct outcome *outcome, bool more)
{
	uint64_t size = message->head_length + spool_size(message->spool);
	int theirs[2];

	*run = (struct run){
	    .pid = -1,
	    .in = -1,
	    .out = -1,
	    .held = -1,
	    .more = more,
	    .deadline = clock_now() + (int64_t)runnable->timeout * 1000,
	    .what = runnable->what ? runnable->what : "command",
	    .outcome = outcome,
	};
	outcome->end = VERDICT_NOT_RUN;
	outcome->stopped = false;
	outcome->length = 0;
	outcome->status = 0;
	/* From here on there is output, if only of length 0. */
	if (!make_room(outcome) || !runnable->environment ||
	    !make_pipes(run, theirs, size > PIPE_OCTETS)) {
		log_error("cannot run the %s: %s", run->what, strerror(errno));
		return false;
	}
	/* What fits is in the pipe before there is anyone to read it: he will
	 * not have to wait for us. */
	feed_more(run, message);
	if (!run->failed && run->in >= 0 && !run->fed && !more)
		feed_aside(run, message);
	if (!run->failed)
		run->pid = start(runnable, theirs);
	(void)close(theirs[0]); /* a pipe: nothing to fail at */
	if (run->pid > 0)
		return true;
	feeder_end(&run->feeder);
	(void)over(run, run->failed ? VERDICT_KILLED : VERDICT_NOT_RUN);
	return false;
}

void
run_whole(
    struct runnable *runnable, struct feed *message, struct outcome *outcome)
{
	struct run run;

	if (run_start(&run, runnable, message, outcome, false))
		while (!run_attend(&run, message))
			continue;
}
