/* One message, put into one Maildir so that a crash at any moment leaves all
 * of it in new/ or nothing; in steps, so that many can go together. */
#ifndef SMTPD_MAILDIR_H
#define SMTPD_MAILDIR_H

#include <stdbool.h>
#include <stddef.h>

#include "failure.h"
#include "intake.h"

/* Octets of a file's name, with its NUL. */
#define MAILDIR_NAME_MAX 192

/* = {0} begins one: nothing is open, nothing there. */
struct maildir {
	int tmp, new;     /* directories; 0: not open */
	bool written;     /* the file is in tmp */
	bool moved;       /* the file is in new */
	const char *path; /* lent; must outlive this */
	char name[MAILDIR_NAME_MAX];
};

/*
 * The steps return a status of sysexits.h: EX_OK, or EX_TEMPFAIL with the
 * failure. The caller has descriptors 0 to 2 open, ignores SIGXFSZ, and calls
 * maildir_finish() or maildir_undo() in the end.
 */

/* Opens the Maildir path, with create makes it (see folder_open()). EX_NOUSER
 * where it is missing, or has neither tmp nor new. */
int maildir_open(struct maildir *maildir, const char *path, size_t fixed,
    bool create, struct failure *failure);

/* Writes head and then message into a new file in tmp, to the disk; stops when
 * the process is told to end. */
int maildir_write(struct maildir *maildir, const char *head,
    struct intake *message, struct failure *failure);

/* Puts the file into new as well; never over another. */
int maildir_move(struct maildir *maildir, struct failure *failure);

/* Makes that durable. */
int maildir_sync(struct maildir *maildir, struct failure *failure);

/* Removes the name in tmp; closes. */
void maildir_finish(struct maildir *maildir);

/* Takes back what was done, from new too; closes. EX_TEMPFAIL where that cannot
 * be done. */
int maildir_undo(struct maildir *maildir, struct failure *failure);

#endif
