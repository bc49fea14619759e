#include "alarm.h"

#include <signal.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "io.h"

/*
 * A socket keeps the wait for the client itself (SO_RCVTIMEO, SO_SNDTIMEO), and
 * the timer first fires when the session is over. On anything else it fires
 * every second and both are counted; so it does where there is a header, all
 * of which has to come in one wait. It goes on firing, so that a signal that
 * comes just before a read is followed by another.
 */
static volatile sig_atomic_t ticks, stopping;
static int ticks_of_session, ticks_of_wait, ticks_of_header;

static void
tick(int signal)
{
	(void)signal;
	ticks = ticks + 1;
}

static void
stop(int signal)
{
	(void)signal;
	stopping = 1;
}

/* These fail only on a signal that does not exist. */
static void
take_signals(void)
{
	static const int stops[] = {SIGTERM, SIGINT, SIGHUP};
	struct sigaction on_tick = {.sa_handler = tick, .sa_flags = SA_ONSTACK};
	struct sigaction on_stop = {.sa_handler = stop, .sa_flags = SA_ONSTACK};
	sigset_t none;

	(void)sigaction(SIGALRM, &on_tick, NULL);
	for (size_t i = 0; i < sizeof stops / sizeof *stops; i++)
		(void)sigaction(stops[i], &on_stop, NULL);
	(void)signal(SIGCHLD, SIG_DFL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

void
alarm_begin(
    const int *descriptors, size_t count, int wait, int session, bool header)
{
	struct timeval longest = {.tv_sec = wait};
	struct itimerval timer = {.it_interval = {.tv_sec = 1}};
	bool sockets = true;

	take_signals();
	for (size_t i = 0; i < count; i++)
		sockets = sockets && io_is_socket(descriptors[i]);
	for (size_t i = 0; sockets && i < count; i++) {
		/* Any socket can do that. */
		(void)setsockopt(descriptors[i], SOL_SOCKET, SO_RCVTIMEO,
		    &longest, sizeof longest);
		(void)setsockopt(descriptors[i], SOL_SOCKET, SO_SNDTIMEO,
		    &longest, sizeof longest);
	}
	if (sockets && !header) {
		timer.it_value.tv_sec = session;
		ticks_of_session = session ? 1 : 0;
	} else {
		timer.it_value.tv_sec = 1;
		ticks_of_session = session;
		ticks_of_wait = wait;
	}
	ticks_of_header = header ? wait : 0;
	(void)setitimer(ITIMER_REAL, &timer, NULL); /* its values are good */
}

int
alarm_now(void)
{
	return ticks;
}

bool
alarm_waited(int since)
{
	return ticks_of_wait && ticks - since > ticks_of_wait;
}

bool
alarm_session_over(void)
{
	return ticks_of_session && ticks >= ticks_of_session;
}

bool
alarm_header_over(void)
{
	return ticks_of_header && ticks >= ticks_of_header;
}

bool
alarm_stopping(void)
{
	return stopping != 0;
}
