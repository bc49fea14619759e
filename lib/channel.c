#include "channel.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "sasl.h"

void
channel_send(struct channel *channel)
{
	const char *octets = channel->few;
	size_t length = channel->few_length;
	ssize_t n;

	if (channel->many) {
		octets = channel->packet->octets;
		length = channel->packet->length;
	}
	if (length == 0)
		return;
	do {
		n = write(channel->descriptor, octets, length);
	} while (n < 0 && errno == EINTR);
	channel->few_length = 0;
	channel->many = false;
	if (n < 0)
		channel->broken = true;
}

/* True if it is with the few others. */
static bool
is_few(struct channel *channel, const struct record *record)
{
	size_t used = record_put(record, channel->few + channel->few_length,
	    sizeof channel->few - channel->few_length);

	channel->few_length += used;
	return used > 0;
}

/* From here on all are in the packet. */
static void
make_many(struct channel *channel)
{
	struct packet *packet = channel->packet;

	channel->many = true;
	packet->length = channel->few_length;
	memcpy(packet->octets, channel->few, packet->length);
	channel->few_length = 0;
}

void
channel_tell(struct channel *channel, const struct record *record)
{
	if (!channel->many) {
		if (is_few(channel, record))
			return;
		make_many(channel);
	}
	if (packet_add(channel->packet, record))
		return;
	channel_send(channel);
	make_many(channel);
	if (!packet_add(channel->packet, record))
		__builtin_trap();
}

void
channel_forget(struct channel *channel)
{
	sasl_wipe(channel->few, sizeof channel->few);
	sasl_wipe(channel->packet, sizeof *channel->packet);
}

bool
channel_hear(struct channel *channel)
{
	struct packet *packet = channel->packet;
	ssize_t n;

	/* What was not told is not answered. */
	if (channel->broken)
		return false;
	do {
		n = read(
		    channel->descriptor, packet->octets, sizeof packet->octets);
	} while (n < 0 && errno == EINTR);
	channel->heard = n > 0 ? (size_t)n : 0;
	channel->at = 0;
	channel->broken = channel->broken || n <= 0;
	return n > 0;
}

bool
channel_next(struct channel *channel, struct record *record)
{
	return packet_next(channel->packet->octets, channel->heard,
		   &channel->at, record) == 1;
}
