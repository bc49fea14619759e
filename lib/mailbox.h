/* An address as the name of a mailbox, good for a file name: no name leads out
 * of the directory it is looked up in. Judges no more than that. */
#ifndef SMTPD_MAILBOX_H
#define SMTPD_MAILBOX_H

#include <stdbool.h>
#include <stddef.h>

#include "address.h"

/* Octets of a local part and of a domain: those of a file name on most
 * systems. */
#define MAILBOX_PART_MAX 255

struct mailbox {
	size_t local_length;                 /* octets before the @ */
	size_t length;                       /* of the whole */
	char text[2 * MAILBOX_PART_MAX + 2]; /* local part@domain, with a NUL */
};

/*
 * Names the mailbox of address: the local part without quotes (RFC 5321 4.1.2:
 * "a"@b and a@b are one mailbox) and, with fold, in lower case; "postmaster"
 * always (RFC 5321 4.5.1); the domain in lower case, domain[0..length) where
 * the address has none. False where either part is empty, too long, begins
 * with a dot, or holds a slash or a control character.
 */
bool mailbox_name(struct mailbox *mailbox, const struct address *address,
    const char *domain, size_t length, bool fold);

/* True if both are the same. */
bool mailbox_same(const struct mailbox *one, const struct mailbox *other);

#endif
