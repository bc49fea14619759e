/* From a recipient's address to its Maildir and the user that owns it; tells
 * the client where there can be none, and looks at no Maildir. */
#ifndef SMTPD_RECIPIENT_H
#define SMTPD_RECIPIENT_H

#include <stdbool.h>

#include "batch.h"
#include "environment.h"
#include "mailbox.h"

/* Where Maildirs are. */
struct rule {
	bool lower_case;     /* local parts are folded */
	bool home;           /* the pattern is relative to a user's home */
	const char *pattern; /* a valid one: pattern.h */
};

struct recipient {
	struct piece address; /* as smtpd gave it */
	struct mailbox mailbox;
};

/* What a client may be told of a recipient: code and text. */
#define RECIPIENT_UNKNOWN "550 5.1.1", "has no mailbox here"
#define RECIPIENT_FULL "452 4.2.2", "has a full mailbox, try again later"

/*
 * Both return a status of sysexits.h; where it is not EX_OK, lines on standard
 * error say why, and a reply is printed where the status does not say it all.
 */

/* Names the mailbox of the address. */
int recipient_name(struct recipient *recipient, const struct rule *rule);

/* Fills in path, fixed and user of the delivery, allocated for good. */
int recipient_find(struct recipient *recipient, const struct rule *rule,
    struct delivery *delivery);

/* Prints the reply "CODE <ADDRESS> TEXT". An address that cannot stand in a
 * reply is left out. */
void recipient_reply(
    const struct recipient *recipient, const char *code, const char *text);

#endif
