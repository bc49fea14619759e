#include "farewell.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "admission.h"
#include "clock.h"
#include "decision.h"
#include "dialogue.h"
#include "io.h"
#include "journal.h"
#include "log.h"
#include "paged.h"
#include "signals.h"

/* A client that still sends when it has been told 421 gets so long to read
 * it, before the rest of what it sent resets the connection. */
#define LINGER_SECONDS 2

/* Reads what a client goes on sending, so that closing does not reset the
 * connection before it has read the last reply. */
static void
linger(void)
{
	static PAGED char octets[4096];
	struct pollfd polled = {.fd = 0, .events = POLLIN};
	int64_t until = clock_now() + (int64_t)LINGER_SECONDS * 1000;

	if (shutdown(1, SHUT_WR) != 0)
		return; /* no socket, or gone */
	for (;;) {
		int64_t left = until - clock_now();

		if (left <= 0 || signals_stops() > 1)
			return;
		if (signals_wait(&polled, 1, (int)left) <= 0)
			continue;
		if (read(0, octets, sizeof octets) <= 0)
			return;
	}
}

/* True if the client may still be sending, and does not know that nobody
 * listens. */
static bool
unexpected_end(const struct transaction *transaction)
{
	static const char *const expected[] = {
	    "hangup", "quit", DIALOGUE_NO_HEADER};

	for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
		if (strcmp(transaction->end, expected[i]) == 0)
			return false;
	return true;
}

/* Waits for the dialogue, which has ended or is made to; its wait(2) status. */
static int
wait_for_dialogue(pid_t dialogue, bool *killed)
{
	int64_t until = clock_now() + (int64_t)LINGER_SECONDS * 1000;
	int status = 0;

	while (waitpid(dialogue, &status, WNOHANG) == 0) {
		int64_t left = until - clock_now();

		if (left <= 0 || *killed) {
			*killed = true;
			(void)kill(dialogue, SIGKILL); /* or it ends */
		}
		(void)signals_wait(NULL, 0, left > 0 ? (int)left : 10);
	}
	return status;
}

/* Lets the client go, which would wait for the end of what is still run. */
static void
hang_up(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0)
		return; /* then it waits */
	(void)io_replace(0, null);
	(void)io_replace(1, null);
	(void)close(null); /* its copies stay */
}

void
farewell_end(struct transaction *transaction)
{
	static PAGED struct advice advice; /* which nobody is given */

	admission_end();
	if (hooks_any(&transaction->settings->hooks) && signals_stops() < 2 &&
	    (transaction->introduced || !transaction->settings->proxy)) {
		hang_up();
		decision_moment(transaction, "DISCONNECT", &advice);
	}
	journal_end(
	    transaction->end, transaction->messages, transaction->begun);
}

void
farewell_early(struct transaction *transaction, const char *why)
{
	(void)snprintf(transaction->end, sizeof transaction->end, "%s", why);
	linger();
	farewell_end(transaction);
}

/* What the dialogue did that it may not, or that was done to it, for the log;
 * NULL if nothing. stays: it had to be killed, though it had ended. */
static const char *
misdeed(enum watch_end how, bool stays, bool died)
{
	if (how == WATCH_BROKEN)
		return "sent a record that it may not; session ended";
	if (how == WATCH_LATE)
		return "went on after the end of the session "
		       "(--session-timeout); it was killed";
	if (stays)
		return "went on after it had said that it ends; it was killed";
	return died ? "was killed by signal" : NULL;
}

int
farewell_say(struct transaction *transaction, enum watch_end how)
{
	bool stopped = how == WATCH_OVER && signals_stops() > 1;
	bool killed = how != WATCH_OVER || stopped, waits = !killed;
	int status = wait_for_dialogue(transaction->dialogue, &killed);
	bool died = WIFSIGNALED(status) && !killed;
	const char *wrong = misdeed(how, waits && killed, died);

	if (stopped)
		memcpy(transaction->end, "stop", sizeof "stop");
	if (died)
		log_error("the dialogue process %s %d; session ended", wrong,
		    WTERMSIG(status));
	else if (wrong)
		log_error("the dialogue process %s", wrong);
	else if (strcmp(transaction->end, DIALOGUE_NO_HEADER) == 0)
		log_error("no PROXY header, or a bad one, from %s: hung up",
		    peer_name(transaction->peer));
	else if (!killed && !transaction->moved && unexpected_end(transaction))
		linger();
	farewell_end(transaction);
	if (wrong)
		return EX_SOFTWARE;
	return strcmp(transaction->end, DIALOGUE_EXPOSED) == 0 ? EX_CONFIG
							       : EX_OK;
}
