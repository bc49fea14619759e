#include "transaction.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "address.h"
#include "admission.h"
#include "decision.h"
#include "introduce.h"
#include "journal.h"
#include "log.h"
#include "message.h"
#include "paged.h"
#include "sequence.h"

void
transaction_answer(struct transaction *self, const struct record *record)
{
	static PAGED struct packet packet;
	ssize_t n;

	packet.length = 0;
	if (!packet_add(&packet, record))
		__builtin_trap();
	do {
		n = send(self->channel, packet.octets, packet.length,
		    MSG_DONTWAIT | MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	/* A dialogue that is gone is noticed when the channel is read; so that
	 * one that is not does not wait for ever, the channel ends. */
	if (n < 0 && errno != EPIPE && errno != ECONNRESET) {
		log_error("cannot answer the dialogue: %s", strerror(errno));
		(void)shutdown(self->channel, SHUT_RDWR); /* it is connected */
	}
}

void
transaction_reset(struct transaction *self)
{
	self->data = false;
	envelope_reset(&self->envelope);
	spool_reset(&self->spool);
}

static bool
take_helo(struct transaction *self, const struct record *record)
{
	const char *extended = self->session.lmtp ? "LHLO" : "EHLO";
	const char *verb = record->number == 1 ? extended : "HELO";
	static PAGED struct value before;
	bool was_extended = self->session.extended;
	bool greeted = self->session.greeted;
	enum decision decision;

	if (record->number > 1 || record->first_length == 0 ||
	    !sequence_allows_verb(self, verb))
		return false;
	/* The hook is told of it already. */
	if (decision_needed(self, verb))
		before = *self->session.helo;
	session_helo(&self->session, record->number == 1, record->first,
	    record->first_length);
	decision = decision_make(self, verb, NULL, 0);
	if (decision == GRANTED) {
		transaction_reset(self);
	} else {
		*self->session.helo = before;
		self->session.extended = was_extended;
		self->session.greeted = greeted;
	}
	return decision != UNSOUND;
}

static bool
take_mail(struct transaction *self, const struct record *record)
{
	const struct smtp_config *config = &self->settings->smtp;
	enum decision decision;

	if (!sequence_allows_verb(self, "MAIL") ||
	    !envelope_sender(&self->envelope, record->first,
		record->first_length, record->second, record->second_length,
		config->utf8) ||
	    (!config->crlf && strcmp(self->envelope.body, "BINARYMIME") == 0))
		return false;
	decision = decision_make(self, "MAIL", NULL, 0);
	if (decision != GRANTED)
		transaction_reset(self);
	return decision != UNSOUND;
}

/* What the dialogue should have refused, a sound one has. */
static bool
take_rcpt(struct transaction *self, const struct record *record)
{
	const struct smtp_config *config = &self->settings->smtp;
	enum decision decision;
	struct address address;

	if (!sequence_allows_verb(self, "RCPT") || self->data ||
	    spool_size(&self->spool) > 0 || record->first_length == 0 ||
	    address_parse(record->first, record->first_length,
		self->envelope.utf8, &address) != record->first_length ||
	    policy_recipient(&self->settings->policy, &address))
		return false;
	if (config->recipients_max &&
	    self->envelope.count >= config->recipients_max)
		return false;
	/* Before the hook has it in its environment. */
	if (!envelope_takes(&self->envelope, record->first_length,
		record->second, record->second_length))
		return false;
	decision =
	    decision_make(self, "RCPT", record->first, record->first_length);
	if (decision != GRANTED)
		return decision == REFUSED;
	return envelope_recipient(&self->envelope, record->first,
	    record->first_length, record->second, record->second_length);
}

static bool
take_step(struct transaction *self, const struct record *record)
{
	const struct smtp_command *row = decision_announced();
	enum smtp_kind kind = row ? row->kind : SMTP_HELO;
	bool data = kind == SMTP_DATA || kind == SMTP_CHUNK;
	enum decision decision;

	(void)record;
	/* What has a record of its own is not done without it. */
	if (!row || (data && self->data) ||
	    (!data && kind != SMTP_QUIT && kind != SMTP_STARTTLS &&
		kind != SMTP_COMMAND))
		return false;
	decision = decision_make(self, row->verb, NULL, 0);
	if (decision == GRANTED) {
		self->data = self->data || data;
		self->tls = kind == SMTP_STARTTLS;
	}
	if (kind == SMTP_QUIT)
		self->ended = true;
	return decision != UNSOUND;
}

static bool
take_reset(struct transaction *self, const struct record *record)
{
	enum decision decision;

	(void)record;
	if (!sequence_allows_verb(self, "RSET"))
		return false;
	decision = decision_make(self, "RSET", NULL, 0);
	transaction_reset(self);
	return decision != UNSOUND;
}

static bool
take_void(struct transaction *self, const struct record *record)
{
	(void)record;
	transaction_reset(self);
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
	journal_said(record);
	return self->settings->debug;
}

static bool
take_exposed(struct transaction *self, const struct record *record)
{
	journal_exposed((int)(record->number & 0xff), self->settings->confined);
	self->ended = self->settings->confined;
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
	self->told_end = true;
	return true;
}

/* What is going on when a record comes. */
enum {
	EARLY = 1,      /* the PROXY header is still to come */
	LOGGING_IN = 2, /* a challenge is out */
	ANNOUNCED = 4,  /* a RECORD_HOOK wants its step */
	ENDED = 8       /* the last reply was the end of the session */
};

static const struct {
	bool (*take)(struct transaction *self, const struct record *record);
	unsigned when; /* it may come in spite of these */
} takers[] = {
    [RECORD_HELO] = {take_helo, ANNOUNCED},
    [RECORD_MAIL] = {take_mail, ANNOUNCED},
    [RECORD_RCPT] = {take_rcpt, ANNOUNCED},
    [RECORD_RESET] = {take_reset, ANNOUNCED},
    [RECORD_VOID] = {take_void, 0},
    [RECORD_CONTENT] = {message_content, 0},
    [RECORD_MESSAGE] = {message_whole, 0},
    [RECORD_VERDICT] = {message_verdict, 0},
    [RECORD_DROPPED] = {message_dropped, 0},
    [RECORD_HOOK] = {decision_announce, 0},
    [RECORD_TEXT] = {decision_text, ANNOUNCED},
    [RECORD_STEP] = {take_step, ANNOUNCED},
    [RECORD_STARTTLS] = {admit_starttls, 0},
    [RECORD_LOGIN] = {admit_login, LOGGING_IN},
    [RECORD_CHALLENGE] = {admit_challenge, 0},
    [RECORD_RESPONSE] = {admit_response, LOGGING_IN},
    [RECORD_CANCEL] = {admit_cancel, LOGGING_IN},
    [RECORD_PROXY] = {introduce_proxy, EARLY},
    [RECORD_XCLIENT] = {introduce_xclient, 0},
    [RECORD_REFUSED] = {take_refused, LOGGING_IN | ENDED},
    [RECORD_SAID] = {take_said, EARLY | LOGGING_IN | ENDED},
    [RECORD_EXPOSED] = {take_exposed, EARLY},
    [RECORD_END] = {take_end, EARLY | LOGGING_IN | ENDED},
};

bool
transaction_take(struct transaction *transaction, const struct record *record)
{
	bool early = transaction->settings->proxy && !transaction->introduced;
	unsigned now = (early ? EARLY : 0) |
		       (admission_open(transaction) ? LOGGING_IN : 0) |
		       (decision_announced() ? ANNOUNCED : 0) |
		       (transaction->ended ? ENDED : 0);

	if (record->type >= sizeof takers / sizeof *takers ||
	    !takers[record->type].take || (now & ~takers[record->type].when))
		return false;
	/* The hook has spoken about the STARTTLS that comes now. */
	if (record->type != RECORD_SAID && record->type != RECORD_STARTTLS)
		transaction->tls = false;
	return takers[record->type].take(transaction, record);
}
