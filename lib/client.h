/* The client side of SMTP (RFC 5321) and LMTP (RFC 2033) as a state machine:
 * octets in, events and octets out. It does no I/O, allocates nothing and
 * knows no clock; it believes nothing that upstream says.
 *
 *	client_begin(&client, &config);
 *	for (;;) {
 *		const struct client_event *event = client_next(&client);
 *		switch (event->kind) {
 *		case CLIENT_READ:   write client_output(), read, client_input();
 *		case CLIENT_READY:  client_mail(), client_rcpt() ...;
 *		case CLIENT_RECIPIENT: when all are answered: client_data();
 *		case CLIENT_DATA:   client_content() ..., client_content_end();
 *		case CLIENT_VERDICT: tell;
 *		case CLIENT_FAILED: close, tell;
 *		}
 *	}
 */
#ifndef SMTPD_CLIENT_H
#define SMTPD_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "answer.h"
#include "dots.h"
#include "offer.h"

/* Commands that wait for their replies at once (RFC 2920): so few that their
 * replies fit into what any connection holds, and neither side blocks. */
#define CLIENT_BATCH_MAX 50
/* Octets of an address, and of a list of parameters. */
#define CLIENT_ADDRESS_MAX 2048
/* Octets of user or password. */
#define CLIENT_CREDENTIAL_MAX 512
/* Octets of our own name. */
#define CLIENT_NAME_MAX 255
#define CLIENT_OUTPUT_MAX 16384

enum client_kind {
	CLIENT_READ,      /* all input is used: write the output, then read */
	CLIENT_READY,     /* greeted, and logged in where that was wanted */
	CLIENT_SENDER,    /* MAIL was answered */
	CLIENT_RECIPIENT, /* so was the next RCPT */
	CLIENT_DATA,      /* DATA was: 354 means that content may follow */
	CLIENT_VERDICT,   /* the message was: once, with LMTP once for each
			   * recipient accepted, in their order */
	CLIENT_RESET,     /* RSET was */
	CLIENT_GONE,      /* QUIT was, or upstream has closed after it */
	CLIENT_FAILED     /* nothing more can come of it; said for ever */
};

/* What happened. text is good until the next call that takes the machine. */
struct client_event {
	enum client_kind kind;
	int code;         /* the reply's; of CLIENT_FAILED 4xx or 5xx */
	const char *text; /* behind the code, LF between lines, any octets */
	size_t length;
	const char *about; /* of CLIENT_FAILED: what it means, worded like
			    * text, which is then not for strangers; or NULL */
};

/* The caller's, and must outlive the machine. */
struct client_config {
	const char *name;     /* for EHLO; CLIENT_NAME_MAX octets */
	bool lmtp;            /* RFC 2033 */
	const char *user;     /* NULL: no AUTH; CLIENT_CREDENTIAL_MAX octets */
	const char *password; /* the same */
};

/* A message to come. */
struct client_message {
	const char *sender; /* a mailbox without <>; length 0: the null path */
	size_t sender_length;
	const char *options; /* words of MAIL parameters, of which RET and
			      * ENVID are used where upstream has DSN */
	size_t options_length;
	uint64_t size;   /* octets, line ends as CRLF; 0: not known */
	bool eight_bit;  /* the content needs 8BITMIME */
	bool needs_utf8; /* the envelope or the header needs SMTPUTF8 */
	bool wants_utf8; /* SMTPUTF8 is to be said where it is offered */
};

enum client_step {
	CLIENT_STEP_GREETING,
	CLIENT_STEP_EHLO,
	CLIENT_STEP_HELO,
	CLIENT_STEP_PLAIN,
	CLIENT_STEP_LOGIN,
	CLIENT_STEP_USER,
	CLIENT_STEP_PASSWORD,
	CLIENT_STEP_MAIL,
	CLIENT_STEP_RCPT,
	CLIENT_STEP_DATA,
	CLIENT_STEP_VERDICT,
	CLIENT_STEP_RSET,
	CLIENT_STEP_QUIT
};

/* The caller's; nothing in it is to be freed, nor touched from outside. */
struct client {
	const struct client_config *config;
	struct offer offer;
	bool utf8;    /* this transaction has SMTPUTF8 */
	bool sending; /* between 354 and the final dot */
	bool failed, gone;
	bool part;       /* some, but not all, of the verdicts have come */
	bool quitting;   /* QUIT was said */
	size_t accepted; /* recipients */
	size_t verdicts; /* still to come */
	unsigned char steps[CLIENT_BATCH_MAX];
	size_t first, count; /* of steps that wait for their replies */
	struct client_event event;
	struct answer answer;
	struct dots dots;
	const char *input; /* lent */
	size_t input_length;
	size_t output_length;
	char output[CLIENT_OUTPUT_MAX];
};

/* Begins a connection that was just made. */
void client_begin(struct client *client, const struct client_config *config);

/* Lends text[0..length), read from upstream, until CLIENT_READ comes again.
 * Only after CLIENT_READ. */
void client_input(struct client *client, const char *text, size_t length);

/* Upstream has closed. */
void client_closed(struct client *client);

/* The caller has given up: CLIENT_FAILED with 451 and text, which must stay. */
void client_fail(struct client *client, const char *text);

const struct client_event *client_next(struct client *client);

/* Seconds that upstream may take until it says the next thing or takes what
 * is written (RFC 5321 4.5.3.2). */
unsigned client_patience(const struct client *client);

/* The patience is over. True if it is only now that something was said which
 * will have an answer: wait again. */
bool client_hurry(struct client *client);

/* What is against sending the message there: code and enhanced code with
 * text, as in reply.h; NULL if nothing is. After CLIENT_READY. */
const char *client_objection(
    const struct client *client, const struct client_message *message);

/* True if the next command may be given now; else read first. */
bool client_room(const struct client *client);

/*
 * Commands, each only while client_room(): MAIL after CLIENT_READY,
 * CLIENT_RESET or the last verdict, RCPT behind MAIL at once where upstream has
 * PIPELINING. False, and nothing is said, where an address is none (RFC
 * 5321 4.1.2), is outside ASCII without SMTPUTF8, or anything is too long. Of
 * options NOTIFY and ORCPT are used where upstream has DSN.
 */
bool client_mail(struct client *client, const struct client_message *message);
bool client_rcpt(struct client *client, const char *address, size_t length,
    const char *options, size_t options_length);
/* When every RCPT is answered, and one was accepted. */
void client_data(struct client *client);
void client_reset(struct client *client);
void client_quit(struct client *client);

/*
 * Takes octets of the message from *text, *length, moving both, into the
 * output, as many as fit. After CLIENT_DATA with 354. A CR that no LF follows
 * is CLIENT_FAILED: such a message must not have come this far.
 */
void client_content(struct client *client, const char **text, size_t *length);

/* The message is whole; false: write the output first, then again. */
bool client_content_end(struct client *client);

/* Octets to write to upstream, good until the next call; client_written()
 * takes the first of them off. */
const char *client_output(const struct client *client, size_t *length);
void client_written(struct client *client, size_t length);

#endif
