#include "upstream.h"

#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "text.h"

/* Enhanced codes by RFC 3463 3.5 and 3.4. */
#define NO_CONNECTION "451 4.4.1 No connection to upstream"
#define UNSAFE_LOGIN "4.3.5 Login would go over the network unencrypted"

/* Milliseconds for upstream to answer QUIT. */
#define QUIT_PATIENCE 1000

/* A reply of our own: a code and a text. */
static void
say(struct upstream *upstream, const char *reply)
{
	int code =
	    (reply[0] - '0') * 100 + (reply[1] - '0') * 10 + (reply[2] - '0');

	quote_add(
	    &upstream->quote, code, reply + 4, strlen(reply + 4), NULL, 0);
}

/* Notes for a log what the client is told, on one line. */
static void
note_trouble(struct upstream *upstream)
{
	size_t length;
	const char *reply = quote_reply(&upstream->quote, &length);

	if (length >= sizeof upstream->trouble)
		length = sizeof upstream->trouble - 1;
	memcpy(upstream->trouble, reply, length);
	while (length > 0 && upstream->trouble[length - 1] == '\n')
		length--;
	upstream->trouble[length] = '\0';
	for (char *at = upstream->trouble; (at = strchr(at, '\n'));)
		*at = ' ';
}

/* The session has failed: the client is told what the machine says. */
static bool
failed(struct upstream *upstream, const struct client_event *event)
{
	char said[128];

	if (!event->about) {
		quote_add(&upstream->quote, event->code, event->text,
		    event->length, NULL, 0);
		note_trouble(upstream);
		return false;
	}
	/* What is said to a login may hold it: that is for nobody. */
	quote_add(&upstream->quote, event->code, event->about,
	    strlen(event->about), NULL, 0);
	(void)snprintf(said, sizeof said, "%s (it said %d)", event->about,
	    upstream->wire.client.answer.code);
	memcpy(upstream->trouble, said, strlen(said) + 1);
	return false;
}

/* Greeting, EHLO and login at the address that was connected to. */
static bool
greet(struct upstream *upstream)
{
	const struct upstream_settings *settings = upstream->settings;
	const struct client_event *event;

	upstream->wire.mute = false;
	upstream->wire.in = upstream->dial.in;
	upstream->wire.out = upstream->dial.out;
	quote_clear(&upstream->quote);
	client_begin(&upstream->wire.client, &settings->client);
	if (settings->client.user && !upstream->dial.local &&
	    !settings->auth_plaintext)
		client_fail(&upstream->wire.client, UNSAFE_LOGIN);
	event = wire_next(&upstream->wire);
	return event->kind == CLIENT_READY || failed(upstream, event);
}

bool
upstream_open(
    struct upstream *upstream, const struct upstream_settings *settings)
{
	upstream->settings = settings;
	upstream->wire.deadline = settings->deadline;
	upstream->quote.utf8 = settings->utf8;
	quote_clear(&upstream->quote);
	while (dial_next(&upstream->dial, settings->deadline)) {
		if (greet(upstream)) {
			upstream->trouble[0] = '\0';
			return true;
		}
		dial_close(&upstream->dial);
		/* Its word is final (RFC 5321 4.2.1); else another may do. */
		if (upstream->quote.code >= 500)
			return false;
	}
	if (upstream->quote.code == 0) {
		say(upstream, NO_CONNECTION);
		strcpy(upstream->trouble, upstream->dial.trouble);
	}
	return false;
}

static struct client_message
describe(const struct upstream_envelope *envelope)
{
	const struct content *content = envelope->content;

	return (struct client_message){
	    .sender = envelope->sender.text,
	    .sender_length = envelope->sender.length,
	    .options = envelope->options.text,
	    .options_length = envelope->options.length,
	    .size = envelope->size,
	    .eight_bit = content && content->eight_bit,
	    .needs_utf8 = !text_is_ascii(
			      envelope->sender.text, envelope->sender.length) ||
			  !text_is_ascii(envelope->recipients.addresses.text,
			      envelope->recipients.addresses.length) ||
			  (content && content->header_eight_bit),
	    .wants_utf8 = envelope->utf8,
	};
}

/* A round of questions. */
struct asking {
	struct recipients unasked, unanswered;
	size_t waiting;  /* for replies */
	bool many;       /* so that the one refused is to be named */
	bool over;       /* no more is asked */
	bool senderless; /* MAIL was refused */
};

/* Asks about as many more as may be. */
static void
ask_more(struct upstream *upstream, struct asking *asking)
{
	struct piece address, options;

	while (!asking->over && client_room(&upstream->wire.client)) {
		if (!recipients_next(&asking->unasked, &address, &options)) {
			asking->over = true;
		} else if (client_rcpt(&upstream->wire.client, address.text,
			       address.length, options.text, options.length)) {
			asking->waiting++;
		} else {
			say(upstream, "553 5.1.3 Bad recipient address");
			asking->over = true;
		}
	}
}

static void
hear(struct upstream *upstream, struct asking *asking,
    const struct client_event *event)
{
	bool named = event->kind == CLIENT_RECIPIENT;
	struct piece address = {0}, options;

	asking->waiting--;
	/* There is one: it was asked about. */
	if (named)
		(void)recipients_next(&asking->unanswered, &address, &options);
	/* Without a sender nothing that is said of recipients counts. */
	if (event->code < 400 || asking->senderless)
		return;
	asking->over = asking->over || !named;
	asking->senderless = !named;
	quote_add(&upstream->quote, event->code, event->text, event->length,
	    asking->many ? address.text : NULL, address.length);
}

bool
upstream_ask(
    struct upstream *upstream, const struct upstream_envelope *envelope)
{
	struct client_message message = describe(envelope);
	struct asking asking = {
	    .unasked = envelope->recipients,
	    .unanswered = envelope->recipients,
	    .waiting = 1,
	    .many = envelope->many,
	};
	const char *objection =
	    client_objection(&upstream->wire.client, &message);

	quote_clear(&upstream->quote);
	upstream->for_recipients = false;
	if (objection) {
		say(upstream, objection);
		return false;
	}
	if (!client_mail(&upstream->wire.client, &message)) {
		say(upstream, "553 5.1.7 Bad sender address");
		return false;
	}
	while (ask_more(upstream, &asking), asking.waiting > 0) {
		const struct client_event *event = wire_next(&upstream->wire);

		if (event->kind == CLIENT_FAILED)
			return failed(upstream, event);
		hear(upstream, &asking, event);
	}
	upstream->for_recipients = !asking.senderless;
	return upstream->quote.code == 0;
}

bool
upstream_reset(struct upstream *upstream)
{
	const struct client_event *event;

	quote_clear(&upstream->quote);
	client_reset(&upstream->wire.client);
	event = wire_next(&upstream->wire);
	return event->kind == CLIENT_RESET || failed(upstream, event);
}

bool
upstream_send(struct upstream *upstream, struct parcel *parcel)
{
	const struct client_event *event;

	quote_clear(&upstream->quote);
	client_data(&upstream->wire.client);
	event = wire_next(&upstream->wire);
	if (event->kind == CLIENT_DATA && event->code == 354)
		event = parcel_send(parcel, &upstream->wire);
	if (!event) {
		upstream->due = upstream->wire.client.verdicts;
		return true;
	}
	if (event->kind == CLIENT_FAILED)
		return failed(upstream, event);
	quote_add(
	    &upstream->quote, event->code, event->text, event->length, NULL, 0);
	return false;
}

size_t
upstream_verdicts(const struct upstream *upstream)
{
	return upstream->due;
}

bool
upstream_verdict(struct upstream *upstream)
{
	const struct client_event *event = wire_next(&upstream->wire);

	upstream->due--;
	quote_clear(&upstream->quote);
	if (event->kind == CLIENT_FAILED)
		return failed(upstream, event);
	quote_add(
	    &upstream->quote, event->code, event->text, event->length, NULL, 0);
	return event->code < 400;
}

const char *
upstream_reply(const struct upstream *upstream, size_t *length)
{
	return quote_reply(&upstream->quote, length);
}

void
upstream_end(struct upstream *upstream)
{
	int64_t end = clock_now() + QUIT_PATIENCE;

	if (end < upstream->wire.deadline)
		upstream->wire.deadline = end;
	if (upstream->dial.in >= 0 && !upstream->wire.mute &&
	    !upstream->wire.client.quitting &&
	    client_room(&upstream->wire.client)) {
		client_quit(&upstream->wire.client);
		(void)wire_next(&upstream->wire); /* whatever it says to that */
	}
	dial_close(&upstream->dial);
	dial_end(&upstream->dial);
}
