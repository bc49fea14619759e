#include "watch.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "complaint.h"
#include "paged.h"
#include "sasl.h"
#include "signals.h"

/* The dialogue has so long to end, when the session has lasted its time. */
#define LATE_SECONDS 5

/* Its clock is so far behind at most. */
#define TICK_SECONDS 5

struct watch {
	struct transaction *transaction;
	enum watch_end end;
	bool reset;      /* it has ended, an answer unread */
	int64_t now;     /* by clock_now(), when it was last looked at */
	int64_t over_at; /* when it has begun its last step */
	int64_t late_at; /* when it has ended */
};

static bool
is_secret(enum record_type type)
{
	return type == RECORD_LOGIN || type == RECORD_CHALLENGE ||
	       type == RECORD_RESPONSE;
}

/* Overwrites the stack behind the caller, where signals leave registers. */
__attribute__((noinline)) static void
wipe_stack(void)
{
	char octets[64 * 1024];

	sasl_wipe(octets, sizeof octets);
}

/* A password was in the packet. */
static void
forget(char octets[RECORD_PACKET_MAX])
{
	sasl_wipe(octets, RECORD_PACKET_MAX);
	/* The registers that copies go through have nothing of it either. */
	for (size_t n = 16; n <= RECORD_PACKET_MAX / 2; n *= 2)
		memmove(octets, octets + n, n);
	wipe_stack();
}

/* What a dialogue may still say when the session is over. */
static bool
is_last_word(enum record_type type)
{
	return type == RECORD_END || type == RECORD_SAID ||
	       type == RECORD_REFUSED || type == RECORD_VERDICT ||
	       type == RECORD_DROPPED;
}

/* What came before the end of the session the agent finishes, however long that
 * takes; behind it nothing is begun. False if the record is not sound. */
static bool
take_in_time(struct watch *watch, const struct record *record)
{
	bool before = watch->now < watch->over_at, sound;
	int64_t later;

	if (!before && !is_last_word(record->type)) {
		watch->end = WATCH_LATE;
		return true;
	}
	sound = transaction_take(watch->transaction, record);
	watch->now = clock_now();
	later = watch->now + LATE_SECONDS * 1000;
	if (before && later > watch->late_at)
		watch->late_at = later;
	return sound;
}

static void
take_packet(struct watch *watch)
{
	static PAGED char octets[RECORD_PACKET_MAX];
	struct transaction *transaction = watch->transaction;
	struct record record;
	size_t at = 0;
	int found;
	ssize_t n = read(transaction->channel, octets, sizeof octets);

	if (n < 0 && errno == EINTR)
		return;
	/* It ended with an answer of ours unread. The system says so first, and
	 * once: its last words are still to be read. */
	if (n < 0 && errno == ECONNRESET && !watch->reset) {
		watch->reset = true;
		return;
	}
	if (n <= 0) {
		/* A dialogue that is still there tells the client 421. */
		(void)shutdown(transaction->channel, SHUT_RDWR);
		watch->end = WATCH_OVER;
		return;
	}
	do {
		found = packet_next(octets, (size_t)n, &at, &record);
		if (found == 1 && !take_in_time(watch, &record))
			found = -1;
		/* A sound dialogue waits: nothing is behind it. */
		if (found == 1 && is_secret(record.type))
			forget(octets);
	} while (found == 1 && !transaction->stopped && watch->end == WATCH_ON);
	if (found < 0)
		watch->end = WATCH_BROKEN;
	else if (watch->end == WATCH_ON &&
		 (transaction->stopped || transaction->told_end))
		watch->end = WATCH_OVER;
}

/* Until when the dialogue may go on: it has a clock of its own, ends the
 * session by that, and begins nothing behind it. Where it does not, it is not
 * what it should be. */
static void
set_end(struct watch *watch)
{
	int64_t most = watch->transaction->settings->session_timeout;

	watch->now = clock_now();
	watch->over_at =
	    most ? watch->now + most * 1000 + TICK_SECONDS * 1000 : INT64_MAX;
	watch->late_at =
	    most ? watch->over_at + LATE_SECONDS * 1000 : INT64_MAX;
}

/* Milliseconds to wait for the dialogue, -1: for ever; told to stop, it is to
 * be told again each second. */
static int
patience(const struct watch *watch, bool told)
{
	int64_t left = watch->late_at - watch->now;
	int most = told ? 1000 : INT_MAX;

	if (!told && watch->late_at == INT64_MAX)
		return -1;
	return left < 0 ? 0 : left > most ? most : (int)left;
}

enum watch_end
watch_keep(struct transaction *transaction)
{
	struct watch watch = {.transaction = transaction};
	struct pollfd polled[] = {
	    {.fd = transaction->channel, .events = POLLIN},
	    {.fd = -1, .events = POLLIN},
	};

	set_end(&watch);
	while (watch.end == WATCH_ON) {
		int stops = signals_stops();

		if (stops > 1)
			return WATCH_OVER;
		/* Said again each second: it may come between the dialogue's
		 * look and its sleep. */
		if (stops > 0)
			(void)kill(transaction->dialogue, SIGTERM);
		polled[1].fd = complaint_source();
		if (signals_wait(polled, 2, patience(&watch, stops > 0)) <= 0)
			polled[0].revents = polled[1].revents = 0;
		watch.now = clock_now();
		if (polled[1].revents)
			complaint_take();
		if (polled[0].revents)
			take_packet(&watch);
		if (watch.end == WATCH_ON && watch.now >= watch.late_at)
			watch.end = WATCH_LATE;
	}
	return watch.end;
}
