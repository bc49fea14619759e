/* The server machine in any state that is well formed, with any configuration,
 * which is more than any dialogue leads to. */
#ifndef SMTPD_STATE_H
#define SMTPD_STATE_H

#include "prove.h"
#include "smtp.h"

/* What smtp_next() leaves free for what is said at one event. */
#define ROOM (SMTP_REPLY_MAX + REPLY_LINE_MAX)

/* A string of n octets. By the array, since what a pointer to char writes may
 * be anything. */
static inline void
fill(char text[], size_t n)
{
	char octet = (char)Frama_C_interval(1, 127);

	//@ loop unroll 999;
	for (size_t i = 0; i < n; i++)
		text[i] = octet;
	text[n] = '\0';
}

static inline char *
string(size_t n)
{
	char *text = room(n + 1);

	fill((void *)text, n);
	return text;
}

/* Not any_bool(), of which both cases would be told apart. */
#define MAYBE (Frama_C_interval(0, 1) != 0)

/* All but names, the caller's mechanisms and his table: they are set apart. */
static inline void
any_config(struct smtp_config *config, const char *hostname)
{
	*config = (struct smtp_config){
	    .hostname = hostname,
	    .size_max = any_size(0, SIZE_MAX),
	    .recipients_max = any_size(0, SIZE_MAX),
	    .messages_max = any_size(0, SIZE_MAX),
	    .errors_max = any_size(0, SIZE_MAX),
	    .hops_max = any_size(0, SIZE_MAX),
	    .limit_hops = MAYBE,
	    .lmtp = MAYBE,
	    .utf8 = MAYBE,
	    .crlf = MAYBE,
	    .newline = any_int(DATA_REJECT, DATA_TERMINAL),
	    .starttls = MAYBE,
	    .secure = MAYBE,
	    .require_tls = MAYBE,
	    .auth = MAYBE,
	    .auth_cram = MAYBE,
	    .auth_plaintext = MAYBE,
	    .require_auth = MAYBE,
	    .xclient = MAYBE,
	    .takes_xclient = MAYBE,
	    .hidden = (unsigned)any_size(0, UINT32_MAX),
	};
}

static inline void
any_data(struct data *data)
{
	*data = (struct data){
	    .newline = any_int(DATA_REJECT, DATA_TERMINAL),
	    .crlf = MAYBE,
	    .chunked = MAYBE,
	    .bad = MAYBE,
	    .ended = MAYBE,
	    .size = any_size(0, SIZE_MAX),
	};
	data->state = any_int(DATA_LINE_START, DATA_DOT_CR);
}

static inline void
any_hops(struct hops *hops)
{
	*hops = (struct hops){
	    .count = any_size(0, SIZE_MAX),
	    .matched = any_size(0, 8),
	};
	hops->state = any_int(HOPS_LINE_START, HOPS_BODY);
}

/* At a moment when there is still so much room in the output; no event yet, no
 * AUTH, no input. */
static inline void
any_smtp(struct smtp *smtp, const struct smtp_config *config, size_t left)
{
	ANYTHING(*smtp);
	smtp->config = config;
	smtp->state = any_int(SMTP_STATE_START, SMTP_STATE_REFUSED);
	smtp->greeted = MAYBE;
	smtp->opened = MAYBE;
	smtp->closed = MAYBE;
	smtp->pending = MAYBE;
	smtp->receiving = MAYBE;
	smtp->utf8 = MAYBE;
	smtp->secure = MAYBE;
	smtp->authenticated = MAYBE;
	smtp->exchange = (struct smtp_exchange){0};
	smtp->binary = MAYBE;
	smtp->event = (struct smtp_event){0};
	any_data(&smtp->data);
	any_hops(&smtp->hops);
	smtp->chunk.last = MAYBE;
	smtp->dropped = NULL;
	smtp->input = NULL;
	smtp->input_length = 0;
	smtp->line.strict = MAYBE;
	smtp->line.skipping = MAYBE;
	smtp->line.length = any_size(0, LINE_MAX_OCTETS);
	smtp->output_length = any_size(0, SMTP_OUTPUT_MAX - left);
	smtp->held = any_size(0, smtp->output_length);
}

#endif
