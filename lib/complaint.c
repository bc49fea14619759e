#include "complaint.h"

#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "log.h"

/* Octets of a line that is logged as one. */
#define LINE_OCTETS 1000

static struct {
	int source, sink;
	size_t length;
	char text[LINE_OCTETS];
} state = {.source = -1, .sink = -1};

int
complaint_descriptor(void)
{
	int ends[2];

	if (!log_is_syslog())
		return STDERR_FILENO;
	if (state.sink < 0 && pipe2(ends, O_CLOEXEC) == 0) {
		state.source = ends[0];
		state.sink = ends[1];
		(void)fcntl(state.source, F_SETFL, O_NONBLOCK); /* it is ours */
	}
	/* Where there can be no pipe: 2 is not the client (launch_mute_log). */
	return state.sink >= 0 ? state.sink : STDERR_FILENO;
}

int
complaint_source(void)
{
	return state.source;
}

static void
log_lines(void)
{
	char *newline;

	while ((newline = memchr(state.text, '\n', state.length)) ||
	       state.length == sizeof state.text) {
		size_t n =
		    newline ? (size_t)(newline - state.text) : state.length;

		log_foreign(state.text, n);
		n += newline ? 1 : 0;
		state.length -= n;
		memmove(state.text, state.text + n, state.length);
	}
}

void
complaint_end(void)
{
	complaint_take();
	if (state.length > 0)
		log_foreign(state.text, state.length);
	state.length = 0;
}

void
complaint_take(void)
{
	/* A flood must not keep the verdict waiting. */
	for (int reads = 0; state.source >= 0 && reads < 64; reads++) {
		ssize_t n = read(state.source, state.text + state.length,
		    sizeof state.text - state.length);

		if (n <= 0)
			return;
		state.length += (size_t)n;
		log_lines();
	}
}
