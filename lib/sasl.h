/* What a client says to log in: PLAIN (RFC 4616), LOGIN and CRAM-MD5 (RFC
 * 2195), decoded and checked; judges no password and says nothing itself. */
#ifndef SMTPD_SASL_H
#define SMTPD_SASL_H

#include <stdbool.h>
#include <stddef.h>

/* Octets of a line with base64, its CRLF included (RFC 4954 4). */
#define SASL_LINE_MAX 12288
/* Octets of a user's name: 255 characters (RFC 4616 2) of four. */
#define SASL_USER_MAX 1024

/* What the client is asked; the space behind PLAIN's 334 is needed. */
#define SASL_ASK_PLAIN "334 "
#define SASL_ASK_USER "334 VXNlcm5hbWU6"
#define SASL_ASK_PASSWORD "334 UGFzc3dvcmQ6"

enum sasl_mechanism { SASL_UNKNOWN, SASL_PLAIN, SASL_LOGIN, SASL_CRAM_MD5 };

enum sasl_step {
	SASL_ASK,         /* send sasl_ask() and give the next line */
	SASL_DONE,        /* user and password are there */
	SASL_UNDECODABLE, /* no base64 (501 5.5.2) */
	SASL_CANCELLED,   /* "*" (501 5.7.0) */
	SASL_NO_INITIAL,  /* the mechanism has no initial response (501 5.7.0,
			   * RFC 4954 4) */
	SASL_REFUSED      /* not to be asked about (535 5.7.8) */
};

/* A login being said; sasl_begin() begins one. */
struct sasl {
	enum sasl_mechanism mechanism;
	size_t user_length; /* 0 until it is known */
	char user[SASL_USER_MAX];
	/* After SASL_DONE: no NUL, perhaps empty, of CRAM-MD5 the response, 32
	 * hexadecimal digits; lent by the line that was given last. */
	const char *password;
	size_t password_length;
};

/* The mechanism that text[0..length) names, without case. */
enum sasl_mechanism sasl_mechanism(const char *text, size_t length);

void sasl_begin(struct sasl *sasl, enum sasl_mechanism mechanism);

/* The line to send, without CRLF, for SASL_ASK; NULL for CRAM-MD5, whose
 * challenge is the caller's. */
const char *sasl_ask(const struct sasl *sasl);

/*
 * Takes the initial response, the word behind the mechanism in AUTH, "=" for
 * an empty one (RFC 4954 4); where there is none, the caller asks at once. Of
 * LOGIN it is the user.
 *
 * This and sasl_response() decode in place: text[0..length) is written over.
 * Refused are: a user that is empty, longer than SASL_USER_MAX or not
 * text_is_clean(), since it goes to the environment and the log; a NUL inside a
 * field; an authorization identity that is neither empty nor the user; what has
 * not the mechanism's form. Any step but SASL_ASK is the last.
 */
enum sasl_step sasl_initial(struct sasl *sasl, char *text, size_t length);

/* Takes a line of the client's, without its line end. */
enum sasl_step sasl_response(struct sasl *sasl, char *text, size_t length);

/* True if a user may have this name. */
bool sasl_user_valid(const char *text, size_t length);

/* Overwrites secret[0..length) so that no compiler leaves it out. */
void sasl_wipe(void *secret, size_t length);

#endif
