/* The envelope of a message and the session it came in, spelt as a command will
 * find them; the agent's side, which believes nothing it was told. */
#ifndef SMTPD_ENVELOPE_H
#define SMTPD_ENVELOPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "peer.h"
#include "starttls.h"
#include "variables.h"
#include "xclient.h"

/* Octets of RECIPIENTS, or of SMTP_RCPT_OPTIONS, with the newlines: Linux
 * takes no single string of 128 KiB. */
#define ENVELOPE_LIST_MAX (120 * 1024)
/* Octets of any other value that the client chose. */
#define ENVELOPE_VALUE_MAX 1536

/* A variable as the environment wants it: "NAME=value", NUL at its end. */
struct value {
	size_t name_length; /* with the = */
	size_t length;      /* of the whole */
	char text[ENVELOPE_VALUE_MAX + 32];
};

/* The same, longer, with a line for each recipient. */
struct list {
	size_t name_length;
	size_t length;
	char text[ENVELOPE_LIST_MAX + 32];
};

/* The session's part, which outlives the transactions. */
struct session {
	const char *id;
	const char *hostname;
	const struct peer *peer;
	char host[XCLIENT_VALUE_MAX + 1]; /* TCPREMOTEHOST of XCLIENT, or "" */
	bool lmtp;
	bool greeted;                 /* HELO or EHLO came */
	bool extended;                /* EHLO rather than HELO */
	bool secure;                  /* TLS */
	char tls[STARTTLS_ABOUT_MAX]; /* protocol and cipher, or 1 */
	const char *mechanism;        /* of AUTH; NULL: no login yet */
	struct value *user;
	struct value *helo;
	bool launched;   /* a launcher's words of the connection count */
	bool introduced; /* but not those of its peer */
	struct variables *variables; /* of hooks; NULL: none yet */
};

/* One transaction. */
struct envelope {
	bool has_sender;
	bool utf8;
	const char *body; /* 7BIT, 8BITMIME, BINARYMIME */
	struct value *sender;
	struct value *mail_options;
	size_t count; /* of recipients */
	bool has_rcpt_options;
	struct list *recipients;
	struct list *rcpt_options;
};

/*
 * Begins a session; launched says whether the environment speaks of its
 * connection. Everything pointed to must outlive it. *session must be {0}, and
 * the only one: the texts of session and envelope are the room's.
 */
void session_begin(struct session *session, const char *id,
    const char *hostname, const struct peer *peer, bool launched);

/* Someone has said who the client is: what a launcher said of the peer, who
 * was a proxy, goes no further. */
void session_introduce(struct session *session);

/* The variables, to be changed. */
struct variables *session_variables(struct session *session);

/* Sets the client's name; octets outside printable ASCII become "?". */
void session_helo(
    struct session *session, bool extended, const char *name, size_t length);

/* Sets who the client is; with mechanism NULL nobody. */
void session_user(struct session *session, const char *mechanism,
    const char *user, size_t length);

/* SMTP, ESMTP, ESMTPSA, LMTPS, UTF8SMTPS... (RFC 3848, RFC 6531 4.3). Good
 * until the next call. */
const char *session_protocol(
    const struct session *session, const struct envelope *envelope);

/* Makes it empty. */
void envelope_reset(struct envelope *envelope);

/*
 * Sets the sender with its parameters, keywords in upper case, one space
 * between two. False if either is not what the dialogue may send: then the
 * dialogue is broken.
 */
bool envelope_sender(struct envelope *envelope, const char *address,
    size_t address_length, const char *params, size_t params_length,
    bool utf8_offered);

/* True if envelope_recipient() can take this one, if its address is good. */
bool envelope_takes(const struct envelope *envelope, size_t address_length,
    const char *params, size_t params_length);

/* Adds a recipient, in the same way. */
bool envelope_recipient(struct envelope *envelope, const char *address,
    size_t address_length, const char *params, size_t params_length);

/* The only recipient, NULL where there is not exactly one. */
const char *envelope_only_recipient(const struct envelope *envelope);

#endif
