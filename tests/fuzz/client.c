/* Fuzzes the client machine against upstreams that say anything: what it says
 * is well-formed commands and one message as it was given, a verdict is only
 * heard after the final dot is out, and there are no more of them than
 * recipients. The first octets of an input are options and a seed; then come,
 * each up to a NUL, sender, parameters, recipients (a line each) and content;
 * the rest is what upstream says. */
#include "client.h"

#include "data.h"
#include "fuzz.h"

enum { RECIPIENTS = 80, MESSAGES = 3 };

static struct {
	struct client client;
	struct client_message message;
	struct fuzz recipients[RECIPIENTS];
	size_t count;
	struct fuzz content;
	struct fuzz input; /* what upstream has still to say */
	uint32_t seed;
	bool slow; /* upstream takes little at a time */
	char *lent;
	size_t said, answered, accepted, verdicts, messages;
	bool sender; /* MAIL was granted */
	bool mailed; /* it was answered */
	bool content_out, ended;
	bool in_content;  /* what is written next is of the message */
	bool whole;       /* all of which is in the output */
	struct data data; /* what a server makes of the content */
	size_t decoded;   /* octets of content that came out of that */
	char line[CLIENT_OUTPUT_MAX];
	size_t length; /* of line */
} self;

/* A command as upstream sees it. */
static void
judge_command(const char *line, size_t length)
{
	static const char *const verbs[] = {"EHLO ", "LHLO ", "HELO ", "AUTH ",
	    "MAIL FROM:<", "RCPT TO:<", "DATA", "RSET", "QUIT"};
	bool known = false;

	DEMAND(length >= 2 && memcmp(line + length - 2, "\r\n", 2) == 0);
	DEMAND(!fuzz_controls(line, length - 2, ""));
	for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
		known = known || strncmp(line, verbs[i], strlen(verbs[i])) == 0;
	/* Of a login: base64. */
	DEMAND(known || self.client.config->user);
}

/* What is written of the message, in place: a server takes it for content.
 * Returns the octets of it. */
static size_t
judge_content(char *text, size_t length)
{
	const char *piece, *from = self.content.text;
	size_t n, used = data_decode(&self.data, text, length, &piece, &n);

	DEMAND((used == length || self.data.ended) && !self.data.bad);
	for (size_t i = 0; i < n; i++) {
		while (self.decoded < self.content.length &&
		       from[self.decoded] == '\r')
			self.decoded++;
		DEMAND(self.decoded < self.content.length
			   ? piece[i] == from[self.decoded]
			   : piece[i] == '\n');
		self.decoded++;
	}
	DEMAND(!self.data.ended || self.whole);
	DEMAND(!self.data.ended || self.decoded >= self.content.length);
	self.in_content = !self.data.ended;
	return used;
}

/* Upstream takes some of the output, or all. */
static void
drain(bool all)
{
	size_t length, n;
	const char *text = client_output(&self.client, &length);
	char *copy;

	DEMAND(length <= CLIENT_OUTPUT_MAX);
	n = all || length == 0 ? length : fuzz_cut(&self.seed, length);
	copy = fuzz_copy(text, n);
	for (size_t i = self.in_content ? judge_content(copy, n) : 0; i < n;
	     i++) {
		DEMAND(self.length < sizeof self.line);
		self.line[self.length++] = copy[i];
		if (copy[i] != '\n')
			continue;
		judge_command(self.line, self.length);
		self.length = 0;
	}
	free(copy);
	client_written(&self.client, n);
}

/* Says QUIT, once. */
static void
leave(void)
{
	if (!self.client.quitting && client_room(&self.client))
		client_quit(&self.client);
}

static void
begin_message(void)
{
	const char *objection = client_objection(&self.client, &self.message);

	self.said = self.answered = self.accepted = self.verdicts = 0;
	self.sender = self.mailed = self.content_out = self.ended = false;
	if (objection || self.messages++ == MESSAGES ||
	    !client_room(&self.client) ||
	    !client_mail(&self.client, &self.message))
		leave();
}

/* As many RCPTs as may be said. */
static void
say_recipients(void)
{
	while (self.messages > 0 && !self.content_out &&
	       !self.client.quitting && self.said < self.count &&
	       client_room(&self.client)) {
		struct fuzz all = self.recipients[self.said++];
		struct fuzz address = fuzz_part(&all, ' ');

		if (!client_rcpt(&self.client, address.text, address.length,
			all.text, all.length))
			self.answered++;
	}
}

/* When every recipient is answered. */
static void
go_on(void)
{
	if (!self.mailed || self.content_out || self.answered < self.count ||
	    self.client.quitting || !client_room(&self.client))
		return;
	if (self.sender && self.accepted > 0)
		client_data(&self.client);
	else
		client_reset(&self.client);
}

/* Writes the message while there is room, then its end. */
static void
send_content(void)
{
	const char *text = self.content.text;
	size_t left = self.content.length, length;

	(void)client_output(&self.client, &length);
	DEMAND(length == 0);
	self.content_out = self.in_content = true;
	self.whole = false;
	self.data = (struct data){.newline = DATA_REJECT};
	self.decoded = 0;
	while (left > 0 && !self.client.failed) {
		size_t given = fuzz_cut(&self.seed, left), n = given;
		char *copy = fuzz_copy(text, given);
		const char *at = copy;

		while (n > 0 && !self.client.failed) {
			client_content(&self.client, &at, &n);
			if (n > 0)
				drain(true);
		}
		free(copy);
		text += given;
		left -= given;
	}
	self.ended = self.whole = true;
	while (!client_content_end(&self.client))
		drain(true);
}

static void
judge_verdict(const struct client_event *event)
{
	size_t length;

	(void)client_output(&self.client, &length);
	DEMAND(self.ended);
	DEMAND(
	    ++self.verdicts <= (self.client.config->lmtp ? self.accepted : 1));
	/* A promise only for what has gone out. */
	if (event->code < 400 && !self.client.quitting)
		DEMAND(length == 0 && self.data.ended);
	if (self.client.verdicts == 0 && !self.client.quitting)
		begin_message();
}

/* Lends what upstream says next: mostly a line, for a reply that comes before
 * its command is the end. */
static void
give(void)
{
	size_t n = self.input.length;
	const char *newline = memchr(self.input.text, '\n', n);

	if (newline)
		n = (size_t)(newline - self.input.text) + 1;
	if (fuzz_chance(&self.seed, 8) == 0)
		n = fuzz_cut(&self.seed, self.input.length);
	free(self.lent);
	self.lent = fuzz_copy(self.input.text, n);
	self.input.text += n;
	self.input.length -= n;
	client_input(&self.client, self.lent, n);
}

/* One event; false at the end. */
static bool
step(void)
{
	const struct client_event *event = client_next(&self.client);

	if (event->kind != CLIENT_READ && event->kind != CLIENT_GONE)
		DEMAND(event->code >= 200 && event->code < 600);
	/* RFC 5321 3.8: the last word, whatever it answers. */
	DEMAND(event->code != 421 || event->kind == CLIENT_FAILED);
	switch (event->kind) {
	case CLIENT_READ:
		if (self.client.part && fuzz_chance(&self.seed, 5) == 0)
			(void)client_hurry(&self.client);
		drain(fuzz_chance(&self.seed, self.slow ? 2 : 16) > 0);
		if (self.input.length == 0) {
			client_closed(&self.client);
			DEMAND(client_next(&self.client)->kind >= CLIENT_GONE);
			return false;
		}
		give();
		return true;
	case CLIENT_READY:
	case CLIENT_RESET:
		begin_message();
		break;
	case CLIENT_SENDER:
		self.mailed = true;
		self.sender = event->code < 400;
		break;
	case CLIENT_RECIPIENT:
		DEMAND(++self.answered <= self.said);
		self.accepted += event->code < 400;
		break;
	case CLIENT_DATA:
		DEMAND(self.accepted > 0);
		if (event->code == 354)
			send_content();
		else
			leave();
		return true;
	case CLIENT_VERDICT:
		judge_verdict(event);
		break;
	case CLIENT_GONE:
		return false;
	case CLIENT_FAILED:
		DEMAND(event->code >= 400);
		DEMAND(client_next(&self.client)->kind == CLIENT_FAILED);
		return false;
	}
	DEMAND(client_patience(&self.client) > 0);
	say_recipients();
	go_on();
	return true;
}

static void
take_message(struct fuzz *fuzz, unsigned options)
{
	struct fuzz part = fuzz_part(fuzz, '\0'), list;

	self.message = (struct client_message){
	    .sender = part.text,
	    .sender_length = part.length,
	    .size = options & 8 ? 100 : 0,
	    .eight_bit = options & 16,
	    .needs_utf8 = options & 32,
	    .wants_utf8 = options & 64,
	};
	part = fuzz_part(fuzz, '\0');
	self.message.options = part.text;
	self.message.options_length = part.length;
	list = fuzz_part(fuzz, '\0');
	self.count = 0;
	while (list.length > 0 && self.count < RECIPIENTS)
		self.recipients[self.count++] = fuzz_part(&list, '\n');
	self.content = fuzz_part(fuzz, '\0');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz fuzz = fuzz_begin(data, size);
	unsigned options = fuzz_octet(&fuzz);
	struct client_config config = {
	    .name = "client.example",
	    .lmtp = options & 1,
	    .user = options & 2 ? "ann" : NULL,
	    .password = options & 2 ? "secret" : NULL,
	};

	self.seed = fuzz_octet(&fuzz);
	self.slow = options & 128;
	take_message(&fuzz, options);
	self.input = fuzz;
	self.length = self.messages = 0;
	self.content_out = self.ended = self.in_content = false;
	client_begin(&self.client, &config);
	while (step())
		continue;
	free(self.lent);
	self.lent = NULL;
	return 0;
}
