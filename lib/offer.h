/* What an upstream server offers in its EHLO or LHLO reply (RFC 5321
 * 4.1.1.1); knows the keywords that the client machine has a use for. */
#ifndef SMTPD_OFFER_H
#define SMTPD_OFFER_H

#include <stddef.h>
#include <stdint.h>

enum offer_extension {
	OFFER_PIPELINING = 1,  /* RFC 2920 */
	OFFER_SIZE = 2,        /* RFC 1870 */
	OFFER_8BITMIME = 4,    /* RFC 6152 */
	OFFER_SMTPUTF8 = 8,    /* RFC 6531 */
	OFFER_DSN = 16,        /* RFC 3461 */
	OFFER_AUTH_PLAIN = 32, /* RFC 4954, RFC 4616 */
	OFFER_AUTH_LOGIN = 64
};

/* = {0} is nothing. */
struct offer {
	unsigned extensions; /* enum offer_extension, or-ed */
	uint64_t size_max;   /* octets of a message; 0: none was named */
};

/* Adds what line[0..length), a line of the reply without its code, offers; not
 * for the first line, which is the server's name. */
void offer_learn(struct offer *offer, const char *line, size_t length);

#endif
