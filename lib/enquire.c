#include "enquire.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"

/* As in Postfix (postconf(5)): smtpd_policy_service_try_limit, and
 * smtpd_policy_service_retry_delay in milliseconds. */
#define TRIES 2
#define RETRY_DELAY 1000

static bool
fail(struct enquire *enquire, const char *why)
{
	(void)snprintf(enquire->trouble, sizeof enquire->trouble, "%s",
	    why); /* cut to fit */
	return false;
}

/* Waits until the connection is ready; false with the trouble. */
static bool
ready(struct enquire *enquire, int fd, short event, int64_t deadline)
{
	struct pollfd polled = {.fd = fd, .events = event};
	int found;

	do {
		int64_t left = deadline - clock_now();

		found = left > 0 ? poll(&polled, 1, (int)left) : 0;
	} while (found < 0 && errno == EINTR);
	if (found == 0)
		return fail(enquire, "no answer in time");
	return found > 0 || fail(enquire, strerror(errno));
}

static bool
ask(struct enquire *enquire, int fd, const char *question, size_t length,
    int64_t deadline)
{
	while (length > 0) {
		ssize_t n;

		if (!ready(enquire, fd, POLLOUT, deadline))
			return false;
		n = write(fd, question, length);
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return fail(enquire, strerror(errno));
		if (n > 0) {
			question += n;
			length -= (size_t)n;
		}
	}
	return true;
}

static bool
hear(struct enquire *enquire, int fd, int64_t deadline)
{
	enum action_found found = ACTION_PART;
	size_t length = 0;

	while (found == ACTION_PART) {
		ssize_t n;

		if (length == sizeof enquire->answer)
			return fail(enquire, "the answer is too long");
		if (!ready(enquire, fd, POLLIN, deadline))
			return false;
		n = read(fd, enquire->answer + length,
		    sizeof enquire->answer - length);
		if (n == 0)
			return fail(enquire, "hung up without an answer");
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return fail(enquire, strerror(errno));
		if (n > 0)
			length += (size_t)n;
		found = action_find(
		    enquire->answer, length, &enquire->value, &enquire->length);
	}
	return found == ACTION_FOUND || fail(enquire, "the answer is none");
}

static bool
try(struct enquire *enquire, const char *place, const char *question,
    size_t length, int64_t patience)
{
	int64_t deadline = clock_now() + patience;
	struct dial dial = {0};
	bool good = false;

	if (!dial_parse(&dial, place, NULL))
		return fail(enquire, "not a place");
	if (!dial_next(&dial, deadline))
		(void)fail(enquire, dial.trouble);
	else
		good = ask(enquire, dial.out, question, length, deadline) &&
		       hear(enquire, dial.in, deadline);
	dial_close(&dial);
	dial_end(&dial);
	return good;
}

bool
enquire(struct enquire *enquire, const char *place, const char *question,
    size_t length, int64_t patience)
{
	for (int i = 0; i < TRIES; i++) {
		if (i > 0)
			(void)poll(NULL, 0, RETRY_DELAY); /* or a bit less */
		if (try(enquire, place, question, length, patience))
			return true;
	}
	return false;
}
