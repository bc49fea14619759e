/* What dialogue and agent tell each other: typed records, several to a packet,
 * each length-checked. Texts hold no NUL; the reader believes nothing else. */
#ifndef SMTPD_RECORD_H
#define SMTPD_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Octets of one packet, and so of one record with its head. */
#define RECORD_PACKET_MAX 16384

enum record_type {
	/* Dialogue to agent. Answered by RECORD_REPLY are RECORD_MESSAGE and
	 * RECORD_VERDICT, the one behind RECORD_HOOK, with the hook's reply or
	 * none, and those from RECORD_STARTTLS to RECORD_RESPONSE: so nothing
	 * is sent that nobody waits for. */
	RECORD_HELO = 1, /* number: 1 after EHLO; first: the name */
	RECORD_MAIL,     /* first: the address; second: the parameters */
	RECORD_RCPT,     /* the same */
	RECORD_RESET,    /* RSET: the transaction is void */
	RECORD_VOID,     /* so it is, by a BDAT that was refused */
	RECORD_CONTENT,  /* number: octets in the window, which is full; the
			  * next one is begun, and this one lent to the agent
			  * until RECORD_WINDOW */
	RECORD_MESSAGE,  /* number: octets in the last window; whole and good */
	RECORD_VERDICT,  /* LMTP: the verdict for the next recipients, where
			  * that was not for all of them */
	RECORD_DROPPED,  /* first: the reply that refused the message;
			  * number: its octets */
	RECORD_HOOK,     /* first: the command that has one; second: its
			  * argument */
	RECORD_TEXT,     /* first: what the hook is to read */
	RECORD_STEP,     /* a command that has no record of its own */
	RECORD_STARTTLS, /* first: the reply, where the dialogue has not said
			  * it; number: 1 if the client has not waited for
			  * it; answered when TLS has begun */
	RECORD_LOGIN,    /* first: the user; second: the password, of CRAM-MD5
			  * the response; number: an enum sasl_mechanism */
	RECORD_CHALLENGE, /* first: a mechanism; second: its initial response,
			   * empty if there is none; answered with 334 or at
			   * last */
	RECORD_RESPONSE,  /* first: what follows a 334; answered so, too */
	RECORD_CANCEL,    /* the client has ended the exchange */
	RECORD_PROXY,     /* number: an enum record_client; first: addresses
			   * and ports, spelt as XCLIENT has them; second: the
			   * client's TLS, or nothing; answered with what the
			   * client may do, and how to greet it */
	RECORD_XCLIENT,   /* first: the attributes; answered so, too */
	RECORD_REFUSED,   /* first: the command; second: the reply */
	RECORD_SAID,      /* for --debug; number: 1 the server, 0 the client */
	RECORD_EXPOSED,   /* there is no sandbox; number: errno, why */
	RECORD_END,       /* first: why the session ends */

	/* Agent to dialogue. */
	RECORD_WINDOW, /* a window may be used again */
	RECORD_REPLY   /* first: the reply, LF line ends; number: to a message,
			* for how many of its recipients, the next ones (LMTP);
			* else one of the next */
};

/* What the PROXY header says of the client. */
enum record_client {
	RECORD_CLIENT_UNSAID, /* nothing: LOCAL, UNKNOWN, UNSPEC */
	RECORD_CLIENT_UNIX,
	RECORD_CLIENT_TCP
};

/* What the answers to RECORD_PROXY and RECORD_XCLIENT say, or-ed. */
#define RECORD_TRUSTED 1     /* it may send to any recipient */
#define RECORD_MAY_XCLIENT 2 /* XCLIENT is taken from it */

/* What any other RECORD_REPLY is besides. */
#define RECORD_IS_GOOD 1      /* TLS has begun, the client is logged in */
#define RECORD_IS_CHALLENGE 2 /* no reply, but base64 for behind 334 */

/* One record as read: texts are lent by the packet. */
struct record {
	enum record_type type;
	uint64_t number;
	const char *first;
	size_t first_length;
	const char *second;
	size_t second_length;
};

/* Writes a record to out[0..room), RECORD_PACKET_MAX at most; returns its
 * octets, 0 if it does not fit. */
size_t record_put(const struct record *record, char *out, size_t room);

/* A packet being filled; = {0} is empty. */
struct packet {
	size_t length;
	char octets[RECORD_PACKET_MAX];
};

/* Adds a record; false if it does not fit, and nothing is added. */
bool packet_add(struct packet *packet, const struct record *record);

/* Takes the next record from text[*at..length). 1: taken; 0: none is left;
 * -1: this is no record. */
int packet_next(
    const char *text, size_t length, size_t *at, struct record *record);

#endif
