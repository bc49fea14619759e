/* The lists of a Mailman: which recipients are its, and a message for one;
 * Mailman 3 by LMTP, one recipient a transaction, for it may answer once for
 * many; Mailman 2.1 by its wrapper. */
#ifndef SMTPD_LISTS_H
#define SMTPD_LISTS_H

#include <stdbool.h>

#include "upstream.h"
#include "wrapper.h"

/* = {0} begins one. With wrapper.path it is Mailman 2.1, else upstream.dial
 * was filled in by dial_parse(). */
struct lists {
	struct upstream upstream;
	struct wrapper wrapper;
	const char *asked;  /* address that Mailman 3 waits for a message to */
	struct quote quote; /* what is wrong, or the verdict */
};

enum lists_answer {
	LISTS_KNOWN,
	LISTS_UNKNOWN,
	LISTS_TROUBLE /* nobody can say: quote tells the client why */
};

/* Connects to Mailman 3. False: quote says why; so for all below. */
bool lists_open(struct lists *lists, const struct upstream_settings *settings);

/* Is the recipient Mailman's? It is asked about him alone, without sender and
 * message, so that no refusal is for anything else. */
enum lists_answer lists_know(struct lists *lists, struct piece address);

/* True if both recipients are one for Mailman: no list is to have a message
 * twice. Both are known. */
bool lists_same(struct lists *lists, struct piece one, struct piece other);

/* Asks whether it will take the message for the only recipient; parcel is NULL
 * where there is no message. */
bool lists_ask(struct lists *lists, const struct upstream_envelope *envelope,
    const struct parcel *parcel);

/* Hands it the message, which the parcel and its file both have. True if it
 * has it: quote is its word. */
bool lists_send(struct lists *lists, const struct upstream_envelope *envelope,
    struct parcel *parcel);

/* Takes leave. */
void lists_end(struct lists *lists);

#endif
