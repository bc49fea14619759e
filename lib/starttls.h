/* TLS, begun by whoever holds the connection: UCSPI-TLS, or tlswrapper in its
 * two ways; has no cryptography. */
#ifndef SMTPD_STARTTLS_H
#define SMTPD_STARTTLS_H

#include <stdbool.h>
#include <stddef.h>

/* Octets of what is said of a TLS session, NUL included. */
#define STARTTLS_ABOUT_MAX 128

enum starttls_kind {
	STARTTLS_NONE,
	STARTTLS_UCSPI,       /* SSLCTLFD, SSLREADFD, SSLWRITEFD */
	STARTTLS_WRAPPER,     /* tlswrapper -n: 220 goes to descriptor 5 */
	STARTTLS_WRAPPER_ACK, /* newer: a zero octet to 5, one from 6 */
};

struct starttls {
	enum starttls_kind kind;
	int control; /* the agent's */
	int answer;  /* STARTTLS_WRAPPER_ACK: the agent's */
	bool hasty;  /* the client has not waited for the answer */
	int in, out; /* where the client is from then on: the dialogue's */
};

/* Finds what the launcher left: tlswrapper's descriptors if that was asked
 * for, else UCSPI-TLS's. What is named and not open is logged. */
void starttls_find(struct starttls *starttls, bool tlswrapper);

/* The descriptors above 2 that it needs; returns how many, 4 at most. */
size_t starttls_descriptors(const struct starttls *starttls, int keep[4]);

/* True if the reply is not the dialogue's to say. */
bool starttls_says_reply(const struct starttls *starttls);

/*
 * Has TLS begun, when the dialogue has read its last octet of plain text and
 * said reply[0..length), or, where starttls_says_reply(), has not: throws away
 * what the client sent before. about gets protocol and cipher, or "1". False
 * if there will be no TLS: then nothing more may be said. Waits until timeout
 * seconds are over.
 */
bool starttls_begin(struct starttls *starttls, const char *reply, size_t length,
    int timeout, char about[STARTTLS_ABOUT_MAX]);

/* Words protocol and cipher as for about; either may be NULL. */
void starttls_describe(
    const char *protocol, const char *cipher, char about[STARTTLS_ABOUT_MAX]);

#endif
