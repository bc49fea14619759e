/* The attributes of Postfix's XCLIENT command (its XCLIENT_README), decoded
 * and checked; does not ask who may send them. */
#ifndef SMTPD_XCLIENT_H
#define SMTPD_XCLIENT_H

#include <stdbool.h>
#include <stddef.h>

/* Octets of a decoded value (XCLIENT_README, note 1). */
#define XCLIENT_VALUE_MAX 255

/* What EHLO says behind XCLIENT. */
#define XCLIENT_NAMES "NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT"

enum xclient_attribute {
	XCLIENT_NAME,  /* a domain */
	XCLIENT_ADDR,  /* an IP address, IPv6 as RFC 5952 has it */
	XCLIENT_PORT,  /* 0 to 65535 without zeros in front */
	XCLIENT_PROTO, /* "SMTP" or "ESMTP" */
	XCLIENT_HELO,  /* one word without control characters */
	XCLIENT_LOGIN, /* what text_is_clean() takes */
	XCLIENT_DESTADDR,
	XCLIENT_DESTPORT,
	XCLIENT_ATTRIBUTES /* how many there are */
};

struct xclient_value {
	enum {
		XCLIENT_ABSENT,  /* not named: what held before still holds */
		XCLIENT_CLEARED, /* [UNAVAILABLE] or [TEMPUNAVAIL] */
		XCLIENT_SET
	} state;
	size_t length; /* 1 to XCLIENT_VALUE_MAX where it is set, else 0 */
	char text[XCLIENT_VALUE_MAX + 1]; /* with a NUL, and no other */
};

/* One command's attributes, by enum xclient_attribute. */
struct xclient {
	struct xclient_value values[XCLIENT_ATTRIBUTES];
};

/*
 * Reads text[0..length), what follows "XCLIENT ": one or more NAME=xtext (RFC
 * 3461 4), names and words without case. False, and *xclient is worth nothing,
 * where there is none, one is unknown or named twice, or a value is too long or
 * not what its comment above says. ADDR and DESTADDR take IPv6 with "IPV6:" or
 * without.
 */
bool xclient_parse(const char *text, size_t length, struct xclient *xclient);

#endif
