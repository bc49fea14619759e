/* A session with an upstream server, SMTP or LMTP: connects, asks about
 * recipients, sends a message, and has one reply for the client after each
 * step; keeps nothing, and gives no promise that upstream has not given.
 *
 *	good = upstream_open(&u, &settings) && upstream_ask(&u, &envelope) &&
 *	       upstream_send(&u, &parcel);
 *	if (good)
 *		for (; upstream_verdicts(&u) > 0; )
 *			upstream_verdict(&u), tell upstream_reply(&u, &length);
 *	else
 *		tell upstream_reply(&u, &length);
 *	upstream_end(&u);
 *
 * Several may be open at once: all are asked before any is sent to.
 */
#ifndef SMTPD_UPSTREAM_H
#define SMTPD_UPSTREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "content.h"
#include "dial.h"
#include "environment.h"
#include "parcel.h"
#include "quote.h"
#include "wire.h"

/* The caller's, and must outlive the session. */
struct upstream_settings {
	struct client_config client;
	bool auth_plaintext; /* log in over the network, too */
	bool utf8;           /* the client takes UTF-8 in replies */
	int64_t deadline;    /* clock_now() when all must be over */
};

/* An envelope, and what is known of the message: with content NULL, nothing
 * (size is what was declared, 0 if nothing was). */
struct upstream_envelope {
	struct piece sender, options; /* as SENDER and SMTP_MAIL_OPTIONS */
	struct recipients recipients; /* one at least */
	bool utf8;                    /* SMTPUTF8 was declared */
	bool many;                    /* name those that are refused: the
				       * message has more than one */
	const struct content *content;
	uint64_t size; /* as it goes onto the wire */
};

/* The caller's. = {0} begins one; dial is filled in by dial_parse(). */
struct upstream {
	struct dial dial;
	const struct upstream_settings *settings;
	struct wire wire;
	struct quote quote;
	size_t due;                     /* verdicts */
	bool for_recipients;            /* what upstream_ask() was refused for
					 * is recipients, nothing else */
	char trouble[DIAL_TROUBLE_MAX]; /* for a log: what has gone wrong that
					 * is not a refusal of mail; or "" */
};

/*
 * Connects, to each address until one greets, says EHLO or LHLO, and logs in.
 * SIGPIPE must be ignored. False: upstream_reply() says why; so for all below.
 */
bool upstream_open(
    struct upstream *upstream, const struct upstream_settings *settings);

/*
 * Asks about sender and recipients; true if all were accepted. What upstream
 * cannot carry is refused unasked: 5.6.3, 5.6.7, 5.3.4.
 */
bool upstream_ask(
    struct upstream *upstream, const struct upstream_envelope *envelope);

/* Takes back what was asked: upstream_ask() may be called again. */
bool upstream_reset(struct upstream *upstream);

/* Sends the message after upstream_ask(). True: it is all sent, and
 * upstream_verdict() is due. False: upstream does not have it. */
bool upstream_send(struct upstream *upstream, struct parcel *parcel);

/* Verdicts still due: one, with LMTP one for each recipient, in order. */
size_t upstream_verdicts(const struct upstream *upstream);

/* Waits for the next verdict. True if it is 2xx. Where upstream never gives it
 * each of those due is the same 451. */
bool upstream_verdict(struct upstream *upstream);

/* The reply for the client to the last of the above; line ends are LF; good
 * until the next call. Empty after one that succeeded, but upstream_verdict().
 */
const char *upstream_reply(const struct upstream *upstream, size_t *length);

/* Says QUIT where there is somebody to say it to, waits a second at most for
 * the answer, and closes. */
void upstream_end(struct upstream *upstream);

#endif
