/* Mailman 2.1: whether it has a list, by its directory of lists, and its
 * wrapper program run on a message; knows no SMTP. */
#ifndef SMTPD_WRAPPER_H
#define SMTPD_WRAPPER_H

#include <stddef.h>
#include <stdint.h>

#include "environment.h"
#include "mailbox.h"
#include "reply.h"

/* = {.path = …, .folder_path = …} begins one; both are lent for good. */
struct wrapper {
	const char *path;        /* of the program */
	const char *folder_path; /* with a directory for each list */
	int folder;
};

/* A list, and what is wanted of it. */
struct wrapper_list {
	char name[MAILBOX_PART_MAX + 1];
	const char *command;
};

/* Opens the directory and looks whether the program may be run. NULL, or with
 * errno the path that cannot be used. */
const char *wrapper_begin(struct wrapper *wrapper);

/* Looks which list address is of (listname.h; the domain does not matter).
 * 1: this one; 0: none; -1 with errno. */
int wrapper_find(
    struct wrapper *wrapper, struct piece address, struct wrapper_list *list);

/*
 * Runs PATH COMMAND NAME with descriptor 0 a message, which it may read from
 * its first octet on, standard output going to standard error, until deadline
 * (clock_now()); then it is killed. Writes the reply that its end means
 * (verdict.h), LF line ends, and returns its octets.
 */
size_t wrapper_run(struct wrapper *wrapper, const struct wrapper_list *list,
    int message, int64_t deadline, char reply[REPLY_MAX + 1]);

#endif
