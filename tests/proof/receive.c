/* Rooms: receive
 * With: machine
 * Models: data hops number text utf8
 * Eva: -eva-slevel-function any_config:0,any_smtp:0,any:0
 * Limits: REPLY_LINE_MAX=64 REPLY_MAX=128 SMTP_OUTPUT_MAX=240
 * Input and arguments up to LENGTH octets, chunks that end within the input or
 * behind it, in any state. */
#include "receive.h"

#include "machine.h"
#include "state.h"

enum { LENGTH = 2 };

static struct smtp smtp;
static struct smtp_config config;
static const struct smtp_command bdat = {.kind = SMTP_CHUNK};
static const struct smtp_command other = {.kind = SMTP_DATA};

static void
any(void)
{
	any_config(&config, "");
	any_smtp(&smtp, &config, ROOM);
	smtp.event.kind = any_int(SMTP_READ, SMTP_COMMAND);
	smtp.verdicts = any_size(0, SIZE_MAX);
}

static void
next(size_t length, uint64_t left, bool chunked)
{
	const struct smtp_event *event;

	any();
	smtp.input = octets(length);
	smtp.input_length = length;
	smtp.receiving = true;
	smtp.data.chunked = chunked;
	smtp.chunk.left = left;
	event = receive_next(&smtp);
	if (event && event->kind == SMTP_CONTENT)
		(void)event->text[event->length - 1];
	/* The rest is good, too. */
	if (smtp.input_length > 0)
		(void)smtp.input[smtp.input_length - 1];
}

static void
discard(size_t length, uint64_t left)
{
	any();
	smtp.input = octets(length);
	smtp.input_length = length;
	smtp.discard = left;
	(void)receive_discard(&smtp);
	if (smtp.input_length > 0)
		(void)smtp.input[smtp.input_length - 1];
}

static void
refused(size_t length)
{
	any();
	smtp.event.command = &bdat;
	smtp.event.argument = octets(length);
	smtp.event.argument_length = length;
	(void)check_bdat(&smtp, &smtp.event);
	(void)receive_chunk(&smtp);
	smtp.event.kind = any_int(SMTP_READ, SMTP_COMMAND);
	receive_refused(&smtp, any_size(0, smtp.output_length));
}

static void
rest(const struct smtp_command *row, const char *dropped)
{
	any();
	smtp.event.command = row;
	smtp.dropped = dropped;
	receive_begin(&smtp);
	(void)receive_verdict(&smtp);
	receive_judged(&smtp);
}

void
prove(void)
{
	//@ loop unroll 99;
	for (size_t length = 0; length <= LENGTH; length++) {
		//@ loop unroll 99;
		for (uint64_t left = 0; left <= LENGTH; left++) {
			next(length, left, true);
			discard(length, left);
		}
		next(length, any_size(length + 1, SIZE_MAX), true);
		next(length, any_size(0, SIZE_MAX), false);
		discard(length, any_size(length + 1, SIZE_MAX));
		refused(length == 0 ? 0 : length + 5);
	}
	rest(&bdat, NULL);
	rest(&other, REPLY_SIZE);
	rest(NULL, REPLY_HOPS);
}
