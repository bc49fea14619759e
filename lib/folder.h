/* Opens the directory that a path names, part by part, and makes what is
 * missing of it; tells a mailbox that is not there from a disk that is not. */
#ifndef SMTPD_FOLDER_H
#define SMTPD_FOLDER_H

#include <stdbool.h>
#include <stddef.h>

#include "failure.h"

/*
 * Opens path for looking up (O_PATH, where there is that). Its first fixed
 * octets, a directory ("": the current one), are never made; with create the
 * rest is, mode 0700, and is on the disk then. Symbolic links are followed.
 * Returns EX_OK and the descriptor, EX_NOUSER where a part behind the fixed
 * ones is missing, else EX_TEMPFAIL, also for a link that leads nowhere: then
 * with the failure.
 */
int folder_open(int *folder, const char *path, size_t fixed, bool create,
    struct failure *failure);

/* Makes the directory of that name in folder, durably, unless anything has that
 * name; -1 with errno. */
int folder_make(int folder, const char *name);

/* Opens the directory of that name in folder for reading, but no symbolic link;
 * -1 with errno. */
int folder_sub(int folder, const char *name);

#endif
