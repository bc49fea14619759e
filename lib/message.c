#include "message.h"

#include <signal.h>
#include <string.h>

#include "clock.h"
#include "decision.h"
#include "deliver.h"
#include "export.h"
#include "journal.h"
#include "paged.h"
#include "received.h"
#include "signals.h"

/* For the log, where the client is told nothing of a message. */
#define ABANDONED "none: told twice to stop"

/* Whether content may come. */
static bool
may_send(const struct transaction *self)
{
	return self->envelope.count > 0 &&
	       (self->data || !decision_needed(self, "DATA"));
}

static bool
fits(const struct transaction *self, uint64_t more)
{
	uint64_t max = self->settings->smtp.size_max;

	return max == 0 || spool_size(&self->spool) + more <= max;
}

bool
message_content(struct transaction *self, const struct record *record)
{
	if (!may_send(self) || record->number != SPOOL_WINDOW ||
	    !fits(self, record->number))
		return false;
	spool_window(&self->spool);
	transaction_answer(self, &(struct record){.type = RECORD_WINDOW});
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
			clock_date() / 1000000, settings->smtp.crlf, reply);
	*size = feed.head_length + spool_size(&self->spool);
	delivery.environment =
	    export_message(&self->session, &self->envelope, *size);
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
	transaction_answer(self, &record);
	return true;
}

bool
message_verdict(struct transaction *self, const struct record *record)
{
	(void)record;
	return next_verdict(self);
}

bool
message_whole(struct transaction *self, const struct record *record)
{
	static PAGED char reply[REPLY_MAX + 1];
	int64_t since = clock_now();
	uint64_t size, count = self->envelope.count;
	size_t length;

	self->replies = (struct replies){0};
	if (!may_send(self) || record->number > SPOOL_WINDOW ||
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
	self->ended = length >= 3 && memcmp(reply, "421", 3) == 0 &&
		      self->replies.length == 0;
	if (self->stopped) {
		length = strlen(ABANDONED);
		memcpy(reply, ABANDONED, length);
		memcpy(self->end, "stop", sizeof "stop");
	}
	if (self->replies.length > 0 || (length > 0 && reply[0] == '2'))
		self->logins_refused = 0;
	journal_message(&self->session, &self->envelope,
	    &(struct journal_message){
		.number = ++self->messages,
		.size = size,
		.since = since,
		.reply = reply,
		.length = length,
	    });
	transaction_reset(self);
	/* The command may still be fed from there, when it was not waited for.
	 */
	if (!self->stopped)
		spool_shrink(&self->spool);
	/* Before the verdict: what is pipelined behind it is not to be done. */
	if (signals_stops() > 0)
		(void)kill(self->dialogue, SIGTERM); /* or it is gone */
	if (!self->stopped && !next_verdict(self))
		transaction_answer(self, &(struct record){
					     .type = RECORD_REPLY,
					     .number = count,
					     .first = reply,
					     .first_length = length,
					 });
	return true;
}

bool
message_dropped(struct transaction *self, const struct record *record)
{
	if (!may_send(self) || record->first_length == 0 ||
	    record->first[0] < '4')
		return false;
	journal_message(&self->session, &self->envelope,
	    &(struct journal_message){
		.number = ++self->messages,
		.size = record->number,
		.since = clock_now(),
		.reply = record->first,
		.length = record->first_length,
	    });
	transaction_reset(self);
	/* Not now: the dialogue goes on, and may be filling them again. */
	self->spool.large = true;
	return true;
}
