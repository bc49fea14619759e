/* Fuzzes ESMTP parameters: how they are split and spelled, the values of DSN
 * and AUTH=, and both processes' opinions of MAIL and RCPT: what the machine
 * takes the agent must take, too, or a sound session would end. The first octet
 * of an input is options; then comes a line for MAIL, up to an LF, and the rest
 * is one for RCPT. */
#include "param.h"

#include "dsn.h"
#include "envelope.h"
#include "fuzz.h"
#include "smtp.h"
#include "text.h"
#include "xtext.h"

static struct smtp_config config = {.hostname = "mx.example.org"};

/* A keyword named before, found by looking at each. */
static bool
repeated(const char *text, size_t length, bool utf8, size_t until)
{
	struct param last = {0}, param;
	size_t at = until;
	bool found = false;

	DEMAND(param_next(text, length, utf8, &at, &last) == PARAM_FOUND);
	for (at = 0;
	     param_next(text, length, utf8, &at, &param) == PARAM_FOUND &&
	     param.keyword < last.keyword;)
		found = found || text_same(param.keyword, param.keyword_length,
				     last.keyword, last.keyword_length);
	return found;
}

static void
judge_value(const struct param *param, bool utf8)
{
	const char *text = param->value;
	size_t length = param->value_length, at = 0, n;
	char octet;

	DEMAND(!fuzz_controls(text, length, ""));
	DEMAND(!memchr(text, ' ', length) && !memchr(text, '=', length));
	if (dsn_notify(text, length))
		DEMAND(length <= strlen("SUCCESS,FAILURE,DELAY"));
	if (dsn_envid(text, length))
		DEMAND(length <= DSN_ENVID_MAX);
	if (dsn_ret(text, length))
		DEMAND(length == 4);
	if (dsn_orcpt(text, length, utf8))
		DEMAND(length <= DSN_ORCPT_MAX && memchr(text, ';', length));
	/* What xtext stands for, where it is to have no control characters. */
	while ((n = xtext_next(text + at, length - at, &octet)) > 0) {
		DEMAND(n == 1 ? octet == text[at] : text[at] == '+');
		if (dsn_envid(text, length) || dsn_auth(text, length, utf8))
			DEMAND(!fuzz_controls(&octet, 1, ""));
		at += n;
	}
	DEMAND(at <= length);
}

static void
judge_list(const char *text, size_t length, bool utf8)
{
	char *out = fuzz_copy(text, length), *again = fuzz_copy(text, length);
	size_t at = 0, before = 0, used, used_again;
	struct param param;

	while (param_next(text, length, utf8, &at, &param) == PARAM_FOUND) {
		DEMAND(at > before && at <= length);
		DEMAND(param.keyword_length > 0);
		if (param.value)
			judge_value(&param, utf8);
		DEMAND(param_repeated(text, length, utf8, &param) ==
		       repeated(text, length, utf8, before));
		before = at;
	}
	used = param_normalize(text, length, utf8, out);
	DEMAND(used <= length);
	used_again = param_normalize(out, used, utf8, again);
	DEMAND(fuzz_same(out, used, again, used_again));
	for (size_t i = 0; i < used; i++)
		DEMAND(i == 0 || out[i] != ' ' || out[i - 1] != ' ');
	free(out);
	free(again);
}

/* The machine's answer to a command: NULL if it is no event of that kind. */
static const struct smtp_event *
ask(struct smtp *smtp, const char *line, size_t length, enum smtp_kind kind)
{
	static char input[SMTP_LINE_MAX * 8];
	const struct smtp_event *event;
	size_t n;

	if (length + 2 > sizeof input)
		return NULL;
	memcpy(input, line, length);
	memcpy(input + length, "\r\n", 2);
	smtp_input(smtp, input, length + 2);
	event = smtp_next(smtp);
	if (event->kind == kind && smtp->input_length == 0)
		return event;
	(void)smtp_output(smtp, &n);
	DEMAND(n > 0);
	return NULL;
}

/* As errand.c words what it tells. */
static size_t
spell(const struct smtp_event *event, char *out)
{
	return param_normalize(event->params, event->params_length, true, out);
}

static void
begin(struct smtp *smtp)
{
	char hello[] = "EHLO client.example\r\n";

	smtp_begin(smtp, &config);
	(void)smtp_next(smtp);
	(void)smtp_next(smtp);
	smtp_input(smtp, hello, strlen(hello));
	DEMAND(smtp_next(smtp)->kind == SMTP_HELO);
	DEMAND(smtp_next(smtp)->kind == SMTP_READ);
}

/* Whatever the machine grants is good for the agent, and what the command gets
 * is what the client wrote. */
static void
judge_both(struct fuzz mail, struct fuzz rcpt)
{
	static struct envelope envelope;
	static struct smtp smtp;
	static char params[LINE_MAX_OCTETS];
	const struct smtp_event *event;

	begin(&smtp);
	event = ask(&smtp, mail.text, mail.length, SMTP_MAIL);
	if (!event)
		return;
	envelope_reset(&envelope);
	DEMAND(envelope_sender(&envelope, event->address.text,
	    event->address.length, params, spell(event, params), config.utf8));
	DEMAND(envelope.utf8 == event->utf8);
	DEMAND(event->binary == (strcmp(envelope.body, "BINARYMIME") == 0));
	DEMAND(
	    !fuzz_controls(envelope.sender->text, envelope.sender->length, ""));
	DEMAND(!fuzz_controls(
	    envelope.mail_options->text, envelope.mail_options->length, ""));
	DEMAND(smtp_next(&smtp)->kind == SMTP_READ);
	event = ask(&smtp, rcpt.text, rcpt.length, SMTP_RCPT);
	if (!event)
		return;
	DEMAND(envelope_recipient(&envelope, event->address.text,
	    event->address.length, params, spell(event, params)));
	DEMAND(envelope.count == 1);
	DEMAND(!fuzz_controls(
	    envelope.recipients->text, envelope.recipients->length, ""));
	DEMAND(!envelope.has_rcpt_options ||
	       !fuzz_controls(envelope.rcpt_options->text,
		   envelope.rcpt_options->length, ""));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz fuzz = fuzz_begin(data, size), mail;
	unsigned options = fuzz_octet(&fuzz);
	char *text = fuzz_copy(fuzz.text, fuzz.length);

	config.utf8 = options & 1;
	config.crlf = options & 2;
	config.size_max = options & 4 ? 1000 : 0;
	judge_list(text, fuzz.length, config.utf8);
	free(text);
	mail = fuzz_part(&fuzz, '\n');
	judge_both(mail, fuzz);
	return 0;
}
