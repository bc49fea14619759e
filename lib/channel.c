#include "channel.h"

#include <errno.h>
#include <unistd.h>

void
channel_send(struct channel *channel)
{
	struct packet *packet = channel->packet;
	ssize_t n;

	if (packet->length == 0)
		return;
	do {
		n = write(channel->descriptor, packet->octets, packet->length);
	} while (n < 0 && errno == EINTR);
	packet->length = 0;
	if (n < 0)
		channel->broken = true;
}

void
channel_tell(struct channel *channel, const struct record *record)
{
	if (packet_add(channel->packet, record))
		return;
	channel_send(channel);
	if (!packet_add(channel->packet, record))
		__builtin_trap();
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
