#include "machine.h"

#include <string.h>

#include "receive.h"

const struct smtp_event *
machine_event(struct smtp *smtp, enum smtp_kind kind)
{
	smtp->event.kind = kind;
	smtp->pending = kind >= SMTP_CONNECT;
	return &smtp->event;
}

void
machine_put(struct smtp *smtp, const char *text, size_t length)
{
	if (length > sizeof smtp->output - smtp->output_length)
		__builtin_trap();
	memcpy(smtp->output + smtp->output_length, text, length);
	smtp->output_length += length;
}

void
smtp_say(struct smtp *smtp, const char *text, size_t length)
{
	machine_put(smtp, text, length);
	machine_put(smtp, "\r\n", 2);
}

int
machine_code(const struct smtp *smtp, size_t start)
{
	const char *text = smtp->output + start;

	return (text[0] - '0') * 100 + (text[1] - '0') * 10 + (text[2] - '0');
}

/* A refusal that counts: RFC 5321 4.5.3.1.10 wants 452 4.5.3 not to. */
static bool
is_error(const struct smtp *smtp, size_t start)
{
	static const char full[] = "452 4.5.3";
	size_t length = strlen(full);

	return machine_code(smtp, start) >= 400 &&
	       (smtp->output_length - start < length ||
		   memcmp(smtp->output + start, full, length) != 0);
}

bool
machine_is_verdict(enum smtp_kind kind)
{
	return kind == SMTP_MESSAGE || kind == SMTP_VERDICT;
}

void
machine_said(struct smtp *smtp, size_t start)
{
	int code = machine_code(smtp, start);
	bool verdict = machine_is_verdict(smtp->event.kind);

	/* A verdict of 221 is odd, but no end. */
	if (code == 421 || (code == 221 && !verdict))
		smtp->closed = true;
	if (!verdict && is_error(smtp, start))
		smtp->errors++;
}

const struct smtp_event *
machine_refuse(struct smtp *smtp, enum smtp_kind kind, const char *reply)
{
	size_t start = smtp->output_length;
	const struct smtp_command *row = smtp->event.command;

	machine_put(smtp, reply, strlen(reply));
	if (strcmp(reply, REPLY_SYNTAX) == 0 && row && row->syntax) {
		machine_put(smtp, " ", 1);
		machine_put(smtp, row->syntax, strlen(row->syntax));
	}
	machine_put(smtp, "\r\n", 2);
	if (kind == SMTP_DROPPED)
		smtp->closed = smtp->closed || machine_code(smtp, start) == 421;
	else
		machine_said(smtp, start);
	smtp->event.reply = smtp->output + start;
	smtp->event.reply_length = smtp->output_length - start;
	if (is_bdat(smtp))
		receive_refused(smtp, start);
	return machine_event(smtp, kind);
}

void
machine_end_transaction(struct smtp *smtp)
{
	if (smtp->state != SMTP_STATE_START &&
	    smtp->state != SMTP_STATE_REFUSED)
		smtp->state = SMTP_STATE_READY;
	smtp->recipients = 0;
	smtp->utf8 = smtp->binary = false;
}

const char *
smtp_output(const struct smtp *smtp, size_t *length)
{
	*length = smtp->output_length - smtp->held;
	return smtp->output;
}

void
smtp_written(struct smtp *smtp, size_t length)
{
	if (length > smtp->output_length - smtp->held)
		__builtin_trap();
	smtp->output_length -= length;
	memmove(smtp->output, smtp->output + length, smtp->output_length);
}
