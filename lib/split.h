/* One message, or a question about one, for two places: Mailman, which is told
 * what is for its lists, and an upstream, which gets the rest or does not
 * exist. All are asked before any is sent anything. */
#ifndef SMTPD_SPLIT_H
#define SMTPD_SPLIT_H

#include <stdbool.h>

#include "lists.h"
#include "subset.h"
#include "upstream.h"

/* = {0} begins one; lists and upstream.dial as lists.h and dial.h say. The
 * settings, the envelope and the parcel must outlive it. */
struct split {
	const struct upstream_settings *settings; /* NULL: no upstream */
	const struct upstream_envelope *about;
	struct parcel *parcel; /* NULL: it is a question */
	struct lists lists;
	struct upstream upstream;
	struct quote quote; /* the reply for the client */

	/* Inside. */
	bool open, accepted;
	struct subset known, others;
};

/* Asks both about their recipients, Mailman with these settings. False: quote
 * says who was refused, and why. */
bool split_ask(struct split *split, const struct upstream_settings *lists);

/*
 * Sends the message after split_ask(): to upstream first, for it is the one to
 * dislike what is in it, then for each list. quote is the first good reply,
 * or that of the first to fail, which ends it; 4xx if another has the
 * message by then.
 */
void split_send(struct split *split);

/* Takes leave of both. */
void split_end(struct split *split);

#endif
