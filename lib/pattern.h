/* A path that names a mailbox for each recipient: "/srv/mail/%d/%u"; looks at
 * no file system. */
#ifndef SMTPD_PATTERN_H
#define SMTPD_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

#include "mailbox.h"

/* Octets of a path, NUL included, and of one part of it, as on Linux. */
#define PATTERN_PATH_MAX 4096
#define PATTERN_PART_MAX 255

struct path {
	size_t fixed;  /* octets up to the last slash before the first value,
			* where there is none, up to the last slash */
	size_t length; /* no slash at the end, unless it is all of the path */
	char text[PATTERN_PATH_MAX];
};

/* True if the pattern is not empty, and u, d, a or % follows each percent
 * sign. */
bool pattern_valid(const char *pattern, size_t length);

/*
 * Writes the path for mailbox: its local part for %u, its domain for %d, both
 * for %a, and a percent sign for %%. A value is never looked at again. False
 * where the path or a part of it is too long.
 */
bool pattern_expand(const char *pattern, size_t length,
    const struct mailbox *mailbox, struct path *path);

#endif
