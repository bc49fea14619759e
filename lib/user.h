/* Leaves root behind, for good. */
#ifndef SMTPD_USER_H
#define SMTPD_USER_H

#include <stdbool.h>
#include <sys/types.h>

/* Becomes USER or USER:GROUP, names or numbers; with all_groups and no GROUP,
 * in all groups of that user, else in its own alone. False, with the reason
 * logged, if any of it cannot be had. */
bool user_become(const char *spec, bool all_groups);

/* Becomes uid and gid, in all groups of the user of that name, with NULL in gid
 * alone. False with errno. */
bool user_take(const char *name, uid_t uid, gid_t gid);

#endif
