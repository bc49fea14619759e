#include "wire.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "clock.h"

#define TIMED_OUT "4.4.2 Upstream timed out"

static void
write_some(struct wire *wire)
{
	size_t length;
	const char *output = client_output(&wire->client, &length);
	ssize_t n = write(wire->out, output, length);

	if (n > 0)
		client_written(&wire->client, (size_t)n);
	else if (n < 0 && (errno == EPIPE || errno == ECONNRESET))
		wire->mute = true; /* it may have said why */
	else if (n < 0 && errno != EAGAIN && errno != EINTR)
		client_closed(&wire->client);
}

static void
read_some(struct wire *wire)
{
	ssize_t n = read(wire->in, wire->input, sizeof wire->input);

	if (n > 0)
		client_input(&wire->client, wire->input, (size_t)n);
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		client_closed(&wire->client);
}

/* Milliseconds that may be waited now. */
static int
patience(const struct wire *wire)
{
	int64_t most = (int64_t)client_patience(&wire->client) * 1000;
	int64_t left = wire->deadline - clock_now();

	if (left > most)
		left = most;
	return left > 0 ? (int)left : 0;
}

void
wire_exchange(struct wire *wire)
{
	struct pollfd polled[] = {
	    {.fd = wire->in, .events = POLLIN},
	    {.fd = wire->out, .events = POLLOUT},
	};
	size_t length;
	int found;

	(void)client_output(&wire->client, &length); /* how much */
	if (length == 0 || wire->mute)
		polled[1].fd = -1;
	found = poll(polled, 2, patience(wire));
	if (found < 0 && errno == EINTR)
		return;
	if (found <= 0) {
		if (clock_now() >= wire->deadline ||
		    !client_hurry(&wire->client))
			client_fail(&wire->client, TIMED_OUT);
		return;
	}
	/* What was said before we say more is no answer to that. */
	if (polled[0].revents)
		read_some(wire);
	else if (polled[1].revents)
		write_some(wire);
}

const struct client_event *
wire_next(struct wire *wire)
{
	const struct client_event *event;

	while ((event = client_next(&wire->client))->kind == CLIENT_READ)
		wire_exchange(wire);
	return event;
}
