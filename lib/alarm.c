#include "alarm.h"

#include <signal.h>
#include <stddef.h>
#include <sys/time.h>

#include "signals.h"

/* Between two ticks, in milliseconds. */
#define TICK_MIN 250
#define TICK_MAX 5000

/* The clock goes on ticking, so that a signal that comes just before a read is
 * followed by another. */
static volatile sig_atomic_t ticks, stopping;
static long tick_length, longest_wait, longest_session;

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
	struct sigaction action = {
	    .sa_handler = tick, .sa_flags = SIGNALS_FLAGS};
	sigset_t none;

	(void)sigaction(SIGALRM, &action, NULL);
	action.sa_handler = stop;
	for (size_t i = 0; i < sizeof stops / sizeof *stops; i++)
		(void)sigaction(stops[i], &action, NULL);
	action.sa_handler = SIG_DFL;
	(void)sigaction(SIGCHLD, &action, NULL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

void
alarm_begin(int wait, int session)
{
	long shorter = session && session < wait ? session : wait;
	struct itimerval timer;

	longest_wait = wait * 1000L;
	longest_session = session * 1000L;
	tick_length = shorter * 1000 / 20;
	if (tick_length < TICK_MIN)
		tick_length = TICK_MIN;
	if (tick_length > TICK_MAX)
		tick_length = TICK_MAX;
	timer.it_interval.tv_sec = tick_length / 1000;
	timer.it_interval.tv_usec = tick_length % 1000 * 1000;
	timer.it_value = timer.it_interval;
	take_signals();
	(void)setitimer(ITIMER_REAL, &timer, NULL); /* its values are good */
}

long
alarm_now(void)
{
	return ticks * tick_length;
}

bool
alarm_waited(long since)
{
	return alarm_now() - since > longest_wait;
}

bool
alarm_session_over(void)
{
	return longest_session && alarm_now() >= longest_session;
}

bool
alarm_stopping(void)
{
	return stopping != 0;
}
