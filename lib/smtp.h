/* The server side of SMTP (RFC 5321) and LMTP (RFC 2033) as a state machine:
 * octets in, events and octets out. It does no I/O, allocates nothing and knows
 * no clock. smtp(3) tells all of it.
 *
 *	smtp_begin(&smtp, &config);
 *	for (;;) {
 *		const struct smtp_event *event = smtp_next(&smtp);
 *
 *		switch (event->kind) {
 *		case SMTP_READ:    write smtp_output(), read, smtp_input();
 *		case SMTP_WRITE:   write smtp_output();
 *		case SMTP_CLOSE:   write smtp_output(), close;
 *		case SMTP_CONTENT: keep event->text[0..event->length);
 *		case SMTP_MESSAGE: deliver, smtp_reply(&smtp, REPLY_OK, 12);
 *		default:           smtp_reply(), or nothing: it is granted;
 *		}
 *	}
 */
#ifndef SMTPD_SMTP_H
#define SMTPD_SMTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "address.h"
#include "data.h"
#include "hops.h"
#include "line.h"
#include "reply.h"
#include "sasl.h"

/* Octets of a command line, CRLF included (RFC 5321 4.5.3.1.4); extensions add
 * to it for some commands. */
#define SMTP_LINE_MAX 512
/* Octets of one reply on the wire: REPLY_MAX with its LFs become CRLFs. */
#define SMTP_REPLY_MAX (REPLY_MAX + REPLY_MAX / 4 + 2)
#define SMTP_OUTPUT_MAX 8192

enum smtp_kind {
	SMTP_READ,    /* all input is used: write the output, then read; said
		       * again until there is input */
	SMTP_WRITE,   /* the output is nearly full: write it first */
	SMTP_CLOSE,   /* write the output, close; said for ever */
	SMTP_CONTENT, /* text[0..length) is the next piece of the message */
	SMTP_DROPPED, /* the message was read to its end and refused, as reply
		       * says: what was kept of it is void */
	SMTP_REFUSED, /* the machine answered line itself, as reply says */
	SMTP_ASKED,   /* AUTH: the machine asks for a response, as reply says */
	SMTP_CHUNK,   /* a further BDAT: its octets follow */

	/* From here on: to be answered by smtp_reply(). What is not is granted
	 * at the next smtp_next(), but SMTP_MESSAGE and SMTP_VERDICT, which
	 * then get a 451, and what belongs to AUTH, which gets a 454. */
	SMTP_CONNECT, /* before the greeting */
	SMTP_HELO,    /* HELO, EHLO or LHLO; text is the name given */
	SMTP_MAIL,    /* address and params */
	SMTP_RCPT,    /* address and params */
	SMTP_DATA,    /* before 354, and before the first BDAT, whose refusal
		       * ends the transaction; that of DATA does not */
	SMTP_MESSAGE, /* the message is whole: the answer is the verdict, in
		       * LMTP that for the first recipient */
	SMTP_VERDICT, /* LMTP: the same for each further recipient, in order;
		       * also where SMTP_DATA of a BDAT with LAST is refused */
	SMTP_RESET,
	SMTP_QUIT,
	SMTP_STARTTLS,  /* granted, TLS is to begin behind the output: all
			 * input is thrown away, and the session starts anew */
	SMTP_LOGIN,     /* AUTH: text is the mechanism; user and password, or
			 * the response of CRAM-MD5. 2xx: the client has been
			 * who he says he is */
	SMTP_CHALLENGE, /* AUTH: text is CRAM-MD5, or a mechanism of config
			 * with its initial response, base64, in password, whose
			 * pointer is NULL if there is none: smtp_challenge(),
			 * or smtp_reply() as to SMTP_LOGIN */
	SMTP_RESPONSE,  /* the same, with the response to a challenge */
	SMTP_XCLIENT,   /* someone else is the client, as argument says
			 * (xclient_parse()). Granted, the session starts anew;
			 * 4xx or 5xx is a refusal to greet him */
	SMTP_COMMAND    /* any other row of the table */
};

/* Where in the dialogue a command is legal (RFC 5321 4.1.4). */
enum smtp_state {
	SMTP_STATE_START = 1,     /* no HELO or EHLO yet */
	SMTP_STATE_READY = 2,     /* no transaction */
	SMTP_STATE_SENDER = 4,    /* MAIL was accepted */
	SMTP_STATE_RECIPIENT = 8, /* so was an RCPT */
	SMTP_STATE_CHUNKS = 16,   /* so was a BDAT that was not the last */
	SMTP_STATE_ANY = 31,
	SMTP_STATE_REFUSED = 32 /* the greeting was a refusal (3.1) */
};

enum smtp_argument { SMTP_NONE, SMTP_OPTIONAL, SMTP_REQUIRED };

struct smtp;
struct smtp_command;

/* What happened. All pointers are good until the next call that changes the
 * machine. No text ends in NUL, and what an event has not is NULL or 0. */
struct smtp_event {
	enum smtp_kind kind;
	const struct smtp_command *command; /* its row; NULL if none */
	const char *line; /* the command line without its line end; of a
			   * response in AUTH "" */
	size_t line_length;
	const char *argument; /* behind verb and spaces, spaces trimmed */
	size_t argument_length;
	const char *text; /* by kind, above */
	size_t length;
	struct address address;
	const char *params; /* ESMTP parameters as written */
	size_t params_length;
	const char *user; /* of AUTH */
	size_t user_length;
	const char *password;
	size_t password_length;
	bool utf8;         /* of MAIL: SMTPUTF8 was given */
	bool binary;       /* of MAIL: BODY=BINARYMIME was */
	bool greets;       /* of XCLIENT: it has HELO */
	bool logs_in;      /* of XCLIENT: it has LOGIN */
	const char *reply; /* from SMTP_DROPPED to SMTP_ASKED: on the wire */
	size_t reply_length;
};

/*
 * A command is a row. To add or replace one, copy smtp_commands and change the
 * copy. Of two rows with the same verb the first counts. The functions of a row
 * may read config, state, secure, authenticated and utf8 of the machine; a
 * struct that has it as its first member is found by a cast. Texts end in NUL
 * and outlive the machine; replies are one line, without its end.
 */
struct smtp_command {
	const char *verb; /* compared without case */
	enum { SMTP_EITHER, SMTP_ONLY, LMTP_ONLY } protocol;
	unsigned states; /* enum smtp_state, or-ed; 0: not offered */
	enum smtp_argument argument;
	enum smtp_kind kind;  /* of its event; SMTP_COMMAND for new ones */
	unsigned extra;       /* octets its line may have over SMTP_LINE_MAX;
			       * LINE_MAX_OCTETS is the end */
	unsigned extra_utf8;  /* so many more with SMTPUTF8 (RFC 6531 3.4) */
	bool plaintext;       /* taken before TLS where that is asked for */
	const char *syntax;   /* for HELP and 501; NULL: HELP omits it */
	const char *sequence; /* the reply in any other state; NULL: a 503 */
	/* False: the reply is sequence, in all states, and then for nothing
	 * else; where that is NULL, a 502. NULL: it is offered. */
	bool (*offered)(const struct smtp *smtp);
	/* Judges the argument, may fill in the event; the reply if it is
	 * refused (REPLY_SYNTAX: syntax is added to it), else NULL. */
	const char *(*check)(struct smtp *smtp, struct smtp_event *event);
	const char *reply; /* when granted and not worded otherwise */
	/* Instead of reply, and one of both there must be: words it by
	 * smtp_say(), SMTP_REPLY_MAX octets at most, each time the same. */
	void (*compose)(struct smtp *smtp, const struct smtp_event *event);
};

#define SMTP_COMMANDS 16
extern const struct smtp_command smtp_commands[SMTP_COMMANDS];

/* The caller's, with all that it points to, and must outlive the machine.
 * Everything but hostname may be left zero: no limit, nothing offered. */
struct smtp_config {
	const char *hostname; /* for greeting and EHLO: never NULL */
	uint64_t size_max;    /* octets of a message, as RFC 1870 3 counts */
	size_t recipients_max;
	size_t messages_max; /* on the connection, then 421 */
	size_t errors_max;   /* replies 4xx and 5xx, then 421 */
	size_t hops_max;     /* Received: lines */
	bool limit_hops;     /* hops_max counts, 0 too */
	bool lmtp;           /* speak LMTP (RFC 2033) */
	bool utf8;           /* offer SMTPUTF8 */
	bool crlf;           /* content has CRLF line ends, else LF; offer
			      * BINARYMIME, whose content is left as it is */
	enum data_newline newline;
	bool starttls;       /* TLS can begin */
	bool secure;         /* it has begun before the greeting */
	bool require_tls;    /* before it hardly anything is taken */
	bool auth;           /* AUTH: PLAIN and LOGIN */
	bool auth_cram;      /* and CRAM-MD5 */
	bool auth_plaintext; /* before TLS, too */
	bool require_auth;   /* before MAIL */
	/* Names of other SASL mechanisms, in upper case. */
	const char *const *mechanisms;
	size_t mechanism_count;
	bool xclient;       /* there is XCLIENT */
	bool takes_xclient; /* from this client */
	unsigned hidden;    /* keywords that EHLO does not offer: bits of
			     * smtp_keyword() */
	const struct smtp_command *commands; /* NULL: smtp_commands */
	size_t command_count;
};

/* The bit of a keyword that the reply to EHLO may have; 0 if it is none. */
unsigned smtp_keyword(const char *text, size_t length);

/* Octets of a challenge that smtp_challenge() takes. */
#define SMTP_CHALLENGE_MAX 4096
/* AUTH, inside. */
struct smtp_exchange {
	bool open;  /* the next line is a response */
	bool other; /* responses are for the caller to judge */
	const char *mechanism;
	const struct smtp_command *command;
	struct sasl sasl;
};

/* The caller's; nothing in it is to be freed, nor touched from outside, and it
 * stays where it is. It may hold a password until the next smtp_next(): a
 * session that ends early leaves it there, for sasl_wipe() of all of it. */
struct smtp {
	struct line line; /* its text, seldom written to, comes first */
	const struct smtp_config *config;
	enum smtp_state state;
	bool greeted;
	bool opened;    /* the client has said something */
	bool closed;    /* nothing will happen any more */
	bool pending;   /* the event is still to be answered */
	bool receiving; /* between 354 and the final dot, or in a chunk */
	bool utf8;      /* this transaction has SMTPUTF8 */
	bool secure;    /* TLS has begun */
	bool authenticated;
	struct smtp_exchange exchange;
	bool binary; /* it has BODY=BINARYMIME */
	struct smtp_event event;
	size_t recipients, messages, errors;
	struct data data;
	struct hops hops;
	struct chunk {
		uint64_t left; /* octets to come */
		bool last;     /* it was said to be the last */
	} chunk;
	size_t verdicts;     /* LMTP: replies to the message still to come */
	const char *dropped; /* the machine's own, where it is that */
	uint64_t discard;    /* octets to come of a refused chunk */
	size_t held;         /* last octets of the output: its reply */
	char *input;         /* lent */
	size_t input_length;
	size_t output_length;
	char output[SMTP_OUTPUT_MAX];
};

/* Begins a connection, whatever *smtp held before. */
void smtp_begin(struct smtp *smtp, const struct smtp_config *config);

/*
 * Lends text[0..length), read from the client; it is decoded in place. Only
 * after smtp_begin(), SMTP_READ or smtp_rest(). It is the machine's until
 * SMTP_READ comes again. The client's end of file is not told: stop calling.
 */
void smtp_input(struct smtp *smtp, char *text, size_t length);

/*
 * Takes back what has not been used of the input: *length octets, which the
 * machine forgets. They are to be lent again, perhaps from elsewhere.
 */
char *smtp_rest(struct smtp *smtp, size_t *length);

/* What happens next. The event is good until the next call that changes the
 * machine; smtp_default() and smtp_output() do not. */
const struct smtp_event *smtp_next(struct smtp *smtp);

/*
 * Answers the last event: text[0..length) is one reply, 2xx, 4xx or 5xx, its
 * line ends LF or CRLF, the last may have none. 4xx and 5xx: the step has not
 * happened. 421 and 221 end the session. To SMTP_DATA any other 2xx means 354,
 * or that the chunk is taken. Where text is no reply (reply_code()) it is
 * 451 4.3.0. Only after an event that is to be answered.
 */
void smtp_reply(struct smtp *smtp, const char *text, size_t length);

/* Answers SMTP_CHALLENGE and SMTP_RESPONSE, and no other event, with a
 * challenge, which is text[0..length), base64, at most SMTP_CHALLENGE_MAX
 * octets. */
void smtp_challenge(struct smtp *smtp, const char *text, size_t length);

/*
 * Words into text[0..size), at least SMTP_REPLY_MAX, what the event would be
 * answered with by default, and does not answer it. Returns the octets, CRLF
 * line ends. Only after an event that is to be answered.
 */
size_t smtp_default(struct smtp *smtp, char *text, size_t size);

/* For compose only: adds one line, without line end, to the reply being
 * worded; its fourth octet is a hyphen or a space. */
void smtp_say(struct smtp *smtp, const char *text, size_t length);

/* Ends the session with a reply of one line, such as REPLY_TIMEOUT, within
 * REPLY_LINE_MAX; the output has room for it at any event. One that is still to
 * be answered gets no other, and what was lent is forgotten. */
void smtp_end(struct smtp *smtp, const char *reply);

/* True while what comes next is content: between 354 and the end of the
 * message, in a chunk of BDAT. */
bool smtp_receiving(const struct smtp *smtp);

/* True from MAIL to the end of the transaction, which a BDAT that is refused
 * is, too. */
bool smtp_transacting(const struct smtp *smtp);

/* True while a message is in hand: from 354, or the first BDAT, to the last
 * reply to it. */
bool smtp_engaged(const struct smtp *smtp);

/* Octets to write to the client, good until the next call; smtp_written()
 * takes the first of them off. */
const char *smtp_output(const struct smtp *smtp, size_t *length);
void smtp_written(struct smtp *smtp, size_t length);

#endif
