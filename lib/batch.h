/* One message into many Maildirs, all or none; knows nothing of addresses and
 * replies. */
#ifndef SMTPD_BATCH_H
#define SMTPD_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "intake.h"
#include "maildir.h"
#include "worker.h"

/* One of them. The caller fills in the first part, all of it lent. */
struct delivery {
	const char *path; /* the Maildir */
	size_t fixed;     /* octets of it that are never made: folder_open() */
	const char *head; /* goes on top of the message */
	const char *user; /* who to become for it; NULL: nobody */
	uid_t uid;
	gid_t gid;

	struct maildir maildir;
	struct worker worker;
};

struct batch {
	struct delivery *deliveries;
	size_t count;
	struct intake *message;
	bool create;    /* Maildirs that are missing */
	int error;      /* errno of what went wrong */
	size_t culprit; /* the delivery that it went wrong with */
};

/*
 * Delivers. Returns EX_OK when all is on the disk; EX_NOUSER where a Maildir
 * is missing, EX_TEMPFAIL where anything else is wrong, be it with one only:
 * then nothing is delivered, and lines on standard error say why. Signals are
 * held back by the caller (ending_hold()); one that comes before any message
 * is in new ends it, EX_TEMPFAIL.
 */
int batch_deliver(struct batch *batch);

#endif
