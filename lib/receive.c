#include "receive.h"

#include <string.h>

#include "machine.h"
#include "number.h"
#include "text.h"

void
receive_begin(struct smtp *smtp)
{
	smtp->receiving = true;
	smtp->hops = (struct hops){0};
	smtp->data = (struct data){
	    .newline = smtp->config->newline,
	    .crlf = smtp->config->crlf,
	    .chunked = is_bdat(smtp),
	};
	if (smtp->data.chunked)
		smtp->state = SMTP_STATE_CHUNKS;
}

/* The message has ended: what the machine itself has against it comes first. */
static const struct smtp_event *
message_end(struct smtp *smtp)
{
	const struct smtp_config *config = smtp->config;
	const char *reply = NULL;

	smtp->receiving = false;
	smtp->messages++;
	smtp->verdicts = config->lmtp ? smtp->recipients : 1;
	if (smtp->data.bad)
		reply = REPLY_BARE;
	else if (config->size_max && smtp->data.size > config->size_max)
		reply = REPLY_SIZE;
	else if (config->limit_hops && smtp->hops.count > config->hops_max)
		reply = REPLY_HOPS;
	smtp->event = (struct smtp_event){0};
	smtp->dropped = reply;
	if (!reply)
		return machine_event(smtp, SMTP_MESSAGE);
	receive_judged(smtp);
	return machine_refuse(smtp, SMTP_DROPPED, reply);
}

void
receive_judged(struct smtp *smtp)
{
	if (smtp->verdicts > 0)
		smtp->verdicts--;
	if (smtp->verdicts == 0)
		machine_end_transaction(smtp);
}

/* RFC 2033 4.2: each recipient is told, even if it is the same. */
const struct smtp_event *
receive_verdict(struct smtp *smtp)
{
	if (!smtp->dropped) {
		smtp->event = (struct smtp_event){0};
		return machine_event(smtp, SMTP_VERDICT);
	}
	smtp_say(smtp, smtp->dropped, strlen(smtp->dropped));
	receive_judged(smtp);
	return NULL;
}

/* The chunk has ended; NULL where the message goes on. */
static const struct smtp_event *
chunk_end(struct smtp *smtp)
{
	if (smtp->chunk.last) {
		data_end(&smtp->data);
		return message_end(smtp);
	}
	smtp->receiving = false;
	smtp_say(smtp, REPLY_CHUNK, strlen(REPLY_CHUNK));
	return NULL;
}

static bool
still_wanted(const struct smtp *smtp)
{
	uint64_t max = smtp->config->size_max;

	return !smtp->data.bad && (max == 0 || smtp->data.size <= max);
}

/* Octets of the input that are content, as far as is known. */
static size_t
content_length(const struct smtp *smtp)
{
	if (smtp->data.chunked && smtp->chunk.left < smtp->input_length)
		return (size_t)smtp->chunk.left;
	return smtp->input_length;
}

/* Takes some content off the input; what came out, which may be nothing. */
static const char *
decode(struct smtp *smtp, size_t *length)
{
	size_t used = content_length(smtp);
	const char *piece = smtp->input;

	if (smtp->binary) {
		*length = used;
		smtp->data.size += used;
	} else {
		used =
		    data_decode(&smtp->data, smtp->input, used, &piece, length);
	}
	smtp->input += used;
	smtp->input_length -= used;
	if (smtp->data.chunked)
		smtp->chunk.left -= used;
	return piece;
}

const struct smtp_event *
receive_next(struct smtp *smtp)
{
	while (!smtp->data.ended && content_length(smtp) > 0) {
		size_t length;
		const char *piece = decode(smtp, &length);

		if (length == 0 || !still_wanted(smtp))
			continue;
		hops_count(&smtp->hops, piece, length);
		smtp->event =
		    (struct smtp_event){.text = piece, .length = length};
		return machine_event(smtp, SMTP_CONTENT);
	}
	if (smtp->data.chunked && smtp->chunk.left == 0)
		return chunk_end(smtp);
	if (smtp->data.ended)
		return message_end(smtp);
	return machine_event(smtp, SMTP_READ);
}

bool
is_bdat(const struct smtp *smtp)
{
	const struct smtp_command *row = smtp->event.command;

	return row && row->kind == SMTP_CHUNK;
}

const char *
check_bdat(struct smtp *smtp, struct smtp_event *event)
{
	const char *text = event->argument;
	size_t length = event->argument_length;
	const char *space = memchr(text, ' ', length);
	size_t digits = space ? (size_t)(space - text) : length;
	const char *rest = text + digits;

	smtp->chunk = (struct chunk){0};
	if (!number_parse(text, digits, UINT64_MAX, &smtp->chunk.left))
		return REPLY_SYNTAX;
	while (rest < text + length && *rest == ' ')
		rest++;
	length -= (size_t)(rest - text);
	smtp->chunk.last = length > 0;
	return length > 0 && !text_same(rest, length, "LAST", 4) ? REPLY_SYNTAX
								 : NULL;
}

const struct smtp_event *
receive_chunk(struct smtp *smtp)
{
	smtp->receiving = true;
	return machine_event(smtp, SMTP_CHUNK);
}

void
receive_refused(struct smtp *smtp, size_t start)
{
	(void)check_bdat(smtp, &smtp->event); /* how many octets? */
	/* Of a line that is void nobody knows where it ends. */
	smtp->discard = smtp->line.skipping ? 0 : smtp->chunk.left;
	smtp->held = smtp->discard > 0 && !smtp->closed
			 ? smtp->output_length - start
			 : 0;
	/* RFC 2033 4.3: the last chunk is answered for each recipient. */
	if (smtp->event.kind == SMTP_DATA && smtp->config->lmtp &&
	    smtp->chunk.last && !smtp->closed) {
		smtp->dropped = NULL;
		smtp->verdicts = smtp->recipients - 1;
	}
	machine_end_transaction(smtp);
}

bool
receive_discard(struct smtp *smtp)
{
	size_t n = smtp->input_length;

	if (smtp->discard < n)
		n = (size_t)smtp->discard;
	smtp->input += n;
	smtp->input_length -= n;
	smtp->discard -= n;
	if (smtp->discard == 0)
		smtp->held = 0;
	return smtp->discard > 0;
}
