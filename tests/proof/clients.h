/* Client machines in the middle of a connection, for the rooms that it is made
 * of: whatever they may hold between two calls. */
#ifndef SMTPD_CLIENTS_H
#define SMTPD_CLIENTS_H

#include "client.h"
#include "prove.h"

/* Both at once, where any_bool() tries each alone. */
static inline bool
maybe(void)
{
	return any_int(0, 1);
}

/* One with so many octets still to be written. Nothing waits for a reply. */
static inline struct client
any_client(const struct client_config *config, size_t output_length)
{
	struct client client = {
	    .config = config,
	    .utf8 = maybe(),
	    .part = maybe(),
	    .quitting = maybe(),
	    .accepted = any_size(0, SIZE_MAX),
	    .verdicts = any_size(0, SIZE_MAX),
	    .output_length = output_length,
	};

	client.offer.extensions =
	    (unsigned)any_size(0, OFFER_AUTH_LOGIN * 2 - 1);
	client.offer.size_max = any_size(0, UINT64_MAX);
	client.answer.begun = maybe();
	client.answer.whole = maybe();
	client.answer.ended = maybe();
	client.answer.code = any_int(0, 599);
	client.answer.lines = any_size(0, ANSWER_MAX);
	client.answer.length = any_size(0, ANSWER_LINE_MAX + 1);
	client.answer.text_length = any_size(0, ANSWER_TEXT_MAX);
	ANYTHING(client.answer.line);
	ANYTHING(client.answer.text);
	ANYTHING(client.output);
	return client;
}

/* The same, that waits for count replies, the first two of them to one and
 * other. */
static inline struct client
any_waiting(const struct client_config *config, size_t output_length,
    size_t count, enum client_step one, enum client_step other)
{
	struct client client = any_client(config, output_length);

	client.first = CLIENT_BATCH_MAX - 1;
	client.count = count;
	client.steps[client.first] = (unsigned char)one;
	client.steps[(client.first + 1) % CLIENT_BATCH_MAX] =
	    (unsigned char)other;
	return client;
}

#endif
