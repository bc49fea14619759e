#include "transaction.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "address.h"
#include "clock.h"
#include "deliver.h"
#include "journal.h"
#include "received.h"
#include "signals.h"

/* For the log, where the client is told nothing of a message. */
#define ABANDONED "none: told twice to stop"

static void
answer(struct transaction *self, const struct record *record)
{
	static struct packet packet;
	ssize_t n;

	packet.length = 0;
	if (!packet_add(&packet, record))
		__builtin_trap();
	do {
		n = send(self->channel, packet.octets, packet.length,
		    MSG_DONTWAIT | MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	/* A dialogue that is gone is noticed when the channel is read. */
}

static void
reset(struct transaction *self)
{
	envelope_reset(&self->envelope);
	spool_reset(&self->spool);
}

static bool
take_helo(struct transaction *self, const struct record *record)
{
	reset(self);
	session_helo(&self->session, record->number == 1, record->first,
	    record->first_length);
	return true;
}

static bool
take_mail(struct transaction *self, const struct record *record)
{
	reset(self); /* a BDAT that fails ends one, and nobody says so */
	return envelope_sender(&self->envelope, record->first,
	    record->first_length, record->second, record->second_length,
	    self->settings->smtp.utf8);
}

/* What the dialogue should have refused, a sound one has. */
static bool
take_rcpt(struct transaction *self, const struct record *record)
{
	const struct smtp_config *config = &self->settings->smtp;
	struct address address;

	if (record->first_length == 0 ||
	    address_parse(record->first, record->first_length,
		self->envelope.utf8, &address) != record->first_length ||
	    policy_recipient(&self->settings->policy, &address))
		return false;
	if (config->recipients_max &&
	    self->envelope.count >= config->recipients_max)
		return false;
	return envelope_recipient(&self->envelope, record->first,
	    record->first_length, record->second, record->second_length);
}

static bool
take_reset(struct transaction *self, const struct record *record)
{
	(void)record;
	reset(self);
	return true;
}

static bool
fits(const struct transaction *self, uint64_t more)
{
	uint64_t max = self->settings->smtp.size_max;

	return max == 0 || spool_size(&self->spool) + more <= max;
}

static bool
take_content(struct transaction *self, const struct record *record)
{
	if (self->envelope.count == 0 || record->number != SPOOL_WINDOW ||
	    !fits(self, record->number))
		return false;
	spool_window(&self->spool);
	answer(self, &(struct record){.type = RECORD_WINDOW});
	return true;
}

/* Delivers what has been spooled; the reply's octets, 0 if told to stop. The
 * line on top of the message is made where the reply will be. */
static size_t
run_command(struct transaction *self, char reply[REPLY_MAX + 1], uint64_t *size)
{
	struct settings *settings = self->settings;
	struct feed feed = {.spool = &self->spool, .head = reply};
	struct delivery delivery = {
	    .command = &settings->command,
	    .timeout = settings->command_timeout,
	    .utf8 = self->envelope.utf8,
	    .recipients = settings->smtp.lmtp ? self->envelope.count : 0,
	};
	size_t length;

	_Static_assert(RECEIVED_MAX <= REPLY_MAX, "they share their memory");
	if (settings->received)
		feed.head_length =
		    received_line(&self->session, &self->envelope,
			(int64_t)time(NULL), settings->smtp.crlf, reply);
	*size = feed.head_length + spool_size(&self->spool);
	delivery.environment =
	    envelope_environment(&self->session, &self->envelope, *size);
	length = deliver(&delivery, &feed, reply);
	self->replies = delivery.each;
	return length;
}

/* The next of the verdicts that each recipient has. */
static bool
next_verdict(struct transaction *self)
{
	struct record record = {.type = RECORD_REPLY};
	size_t count;

	if (!replies_next(
		&self->replies, &record.first, &record.first_length, &count))
		return false;
	record.number = count;
	answer(self, &record);
	return true;
}

static bool
take_verdict(struct transaction *self, const struct record *record)
{
	(void)record;
	return next_verdict(self);
}

static bool
take_message(struct transaction *self, const struct record *record)
{
	static char reply[REPLY_MAX + 1];
	int64_t since = clock_now();
	uint64_t size, count = self->envelope.count;
	size_t length;

	self->replies = (struct replies){0};
	if (self->envelope.count == 0 || record->number > SPOOL_WINDOW ||
	    !fits(self, record->number))
		return false;
	spool_end(&self->spool, (size_t)record->number);
	size = spool_size(&self->spool);
	if (self->spool.failed) {
		length = strlen(REPLY_STORAGE);
		memcpy(reply, REPLY_STORAGE, length);
	} else {
		length = run_command(self, reply, &size);
	}
	self->stopped = length == 0;
	if (self->stopped) {
		length = strlen(ABANDONED);
		memcpy(reply, ABANDONED, length);
		memcpy(self->end, "stop", sizeof "stop");
	}
	journal_message(&self->session, &self->envelope,
	    &(struct journal_message){
		.number = ++self->messages,
		.size = size,
		.since = since,
		.reply = reply,
		.length = length,
	    });
	reset(self);
	spool_shrink(&self->spool);
	/* Before the verdict: what is pipelined behind it is not to be done. */
	if (signals_stops() > 0)
		(void)kill(self->dialogue, SIGTERM); /* or it is gone */
	if (!self->stopped && !next_verdict(self))
		answer(self, &(struct record){
				 .type = RECORD_REPLY,
				 .number = count,
				 .first = reply,
				 .first_length = length,
			     });
	return true;
}

static bool
take_dropped(struct transaction *self, const struct record *record)
{
	if (self->envelope.count == 0)
		return false;
	journal_message(&self->session, &self->envelope,
	    &(struct journal_message){
		.number = ++self->messages,
		.size = record->number,
		.since = clock_now(),
		.reply = record->first,
		.length = record->first_length,
	    });
	reset(self);
	/* Not now: the dialogue goes on, and may be filling them again. */
	self->spool.large = true;
	return true;
}

static bool
take_refused(struct transaction *self, const struct record *record)
{
	journal_refused(self->session.peer, record);
	return true;
}

static bool
take_said(struct transaction *self, const struct record *record)
{
	(void)self;
	journal_said(record);
	return true;
}

static bool
take_end(struct transaction *self, const struct record *record)
{
	size_t length = record->first_length;

	if (length >= sizeof self->end)
		return false;
	memcpy(self->end, record->first, length);
	self->end[length] = '\0';
	return true;
}

static bool (*const takers[])(
    struct transaction *self, const struct record *record) = {
    [RECORD_HELO] = take_helo,
    [RECORD_MAIL] = take_mail,
    [RECORD_RCPT] = take_rcpt,
    [RECORD_RESET] = take_reset,
    [RECORD_CONTENT] = take_content,
    [RECORD_MESSAGE] = take_message,
    [RECORD_VERDICT] = take_verdict,
    [RECORD_DROPPED] = take_dropped,
    [RECORD_REFUSED] = take_refused,
    [RECORD_SAID] = take_said,
    [RECORD_END] = take_end,
};

bool
transaction_take(struct transaction *transaction, const struct record *record)
{
	return record->type < sizeof takers / sizeof *takers &&
	       takers[record->type] &&
	       takers[record->type](transaction, record);
}
