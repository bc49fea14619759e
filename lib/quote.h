/* What upstream servers said, as one reply for the client: cleaned, and of
 * several the worst; adds no meaning of its own. */
#ifndef SMTPD_QUOTE_H
#define SMTPD_QUOTE_H

#include <stdbool.h>
#include <stddef.h>

#include "reply.h"

/* = {0} is no reply; utf8 says whether the client takes UTF-8. */
struct quote {
	bool utf8;
	int code;      /* of the reply; 0: there is none yet */
	size_t last;   /* where its last line begins */
	size_t length; /* of text */
	char text[REPLY_MAX];
};

/*
 * Adds a reply: code (2xx, 4xx, 5xx) and text[0..length), LF between lines,
 * any octets; about who[0..who_length), an address, where that is to be named
 * and the text does not name it (NULL: nobody). 4xx is worse than 5xx, for mail
 * is rather delivered late than lost, and 5xx worse than 2xx: a worse one takes
 * the place of what was there, the first 2xx stays, others of the same class
 * add their lines while there is room. 421 becomes 451: it is not this
 * connection that ends. Codes that RFC 5321 4.2 does not know become X50. What
 * is not printable becomes "?", an enhanced code of another class is left out.
 */
void quote_add(struct quote *quote, int code, const char *text, size_t length,
    const char *who, size_t who_length);

/* Adds all of another quote, which was made with the same utf8, by the same
 * rule. */
void quote_take(struct quote *quote, const struct quote *other);

/* Makes a refusal for good one for now: 451, and 4 in enhanced codes. */
void quote_soften(struct quote *quote);

/* The reply, as reply_code() likes it, LF behind each line; good until the
 * next call. *length is 0 where there is none. */
const char *quote_reply(const struct quote *quote, size_t *length);

/* Takes all back. */
void quote_clear(struct quote *quote);

#endif
