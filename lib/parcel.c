#include "parcel.h"

#define NO_MESSAGE "4.3.0 Cannot read the message again"

/* Writes and hears; the event, if there is one. */
static const struct client_event *
attend(struct wire *wire, bool wait)
{
	const struct client_event *event = client_next(&wire->client);

	if (event->kind != CLIENT_READ || !wait)
		return event->kind == CLIENT_READ ? NULL : event;
	wire_exchange(wire);
	event = client_next(&wire->client);
	return event->kind == CLIENT_READ ? NULL : event;
}

static const struct client_event *
send_piece(struct wire *wire, struct piece piece)
{
	const struct client_event *event = NULL;

	while (piece.length > 0 && !event) {
		client_content(&wire->client, &piece.text, &piece.length);
		/* What is left had no room. */
		event = attend(wire, piece.length > 0);
	}
	return event;
}

/* Sends the message up to that offset. */
static const struct client_event *
send_until(struct wire *wire, struct intake *message, uint64_t *at, uint64_t to)
{
	const struct client_event *event = NULL;

	while (*at < to && !event) {
		struct piece piece;

		piece.length = intake_peek(message, 1, &piece.text);
		/* There will be no final dot. */
		if (piece.length == 0)
			client_fail(&wire->client, NO_MESSAGE);
		if (piece.length > to - *at)
			piece.length = (size_t)(to - *at);
		event = piece.length > 0 ? send_piece(wire, piece)
					 : attend(wire, false);
		intake_use(message, piece.length);
		*at += piece.length;
	}
	return event;
}

const struct client_event *
parcel_send(struct parcel *parcel, struct wire *wire)
{
	struct intake *message = parcel->message;
	const struct client_event *event;
	uint64_t at = 0;

	intake_rewind(message);
	event = send_until(wire, message, &at, parcel->offset);
	if (!event)
		event = send_piece(wire, parcel->extra);
	if (!event)
		event = send_until(wire, message, &at, message->size);
	while (!event && !client_content_end(&wire->client))
		event = attend(wire, true);
	return event;
}
