#include "signals.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "paged.h"
#include "sasl.h"

/* Where handlers run: room for all registers that there are, AVX-512 and AMX
 * included. */
#define STACK_OCTETS 16384

static PAGED char stack[STACK_OCTETS];
static bool aside;

static volatile sig_atomic_t stops, came;

/* While nobody waits, and while somebody does. */
static SETTLED sigset_t blocked, none;

static void
count_stop(int signal)
{
	(void)signal;
	stops = stops + 1;
	came = 1;
}

static void
wake(int signal)
{
	(void)signal;
	came = 1;
}

static const struct {
	int signal;
	void (*handler)(int);
} handlers[] = {
    {SIGTERM, count_stop},
    {SIGINT, count_stop},
    {SIGHUP, count_stop},
    {SIGCHLD, wake},
    {SIGPIPE, SIG_IGN},
    {SIGXFSZ, SIG_IGN},
};

#define COUNT (sizeof handlers / sizeof *handlers)

/* These calls fail only on a signal that does not exist. */
void
signals_begin(void)
{
	stops = 0;
	(void)sigemptyset(&none);
	(void)sigemptyset(&blocked);
	for (size_t i = 0; i < COUNT; i++) {
		struct sigaction action = {
		    .sa_handler = handlers[i].handler,
		    .sa_flags = SIGNALS_FLAGS,
		};

		if (handlers[i].handler != SIG_IGN)
			(void)sigaddset(&blocked, handlers[i].signal);
		(void)sigaction(handlers[i].signal, &action, NULL);
	}
	(void)sigprocmask(SIG_SETMASK, &blocked, NULL);
}

void
signals_aside(void)
{
#if !defined SANITIZE && !defined UNCONFINED
	/* The sanitizers have such memory themselves, and free it. */
	stack_t where = {.ss_sp = stack, .ss_size = sizeof stack};

	/* Too small for a processor to come: then they run on the stack. */
	aside = sigaltstack(&where, NULL) == 0;
#endif
}

void
signals_forget(void)
{
	if (aside)
		sasl_wipe(stack, sizeof stack);
}

int
signals_stops(void)
{
	return stops;
}

int
signals_wait(struct pollfd *polled, nfds_t count, int milliseconds)
{
	struct timespec time = {
	    .tv_sec = milliseconds / 1000,
	    .tv_nsec = (milliseconds % 1000) * 1000000L,
	};
	int ready =
	    ppoll(polled, count, milliseconds < 0 ? NULL : &time, &none);
	/* Linux lets no signal in where there was no need to sleep. */
	if (ready > 0) {
		(void)sigprocmask(SIG_SETMASK, &none, NULL);
		(void)sigprocmask(SIG_SETMASK, &blocked, NULL);
	}
	if (came)
		signals_forget();
	came = 0;
	return ready;
}
