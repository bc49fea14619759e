/* The programs in the directory of --hooks, by the command that each is for;
 * read once, at the start; runs none. smtpd-hooks(7). */
#ifndef SMTPD_HOOKS_H
#define SMTPD_HOOKS_H

#include <stdbool.h>
#include <stddef.h>

#include "smtp.h"

/* Octets of a name, as many as a file's can have, and how many files there may
 * be. */
#define HOOKS_NAME_MAX 255
#define HOOKS_MAX 64

/* In front of the names of SASL mechanisms, and their octets (RFC 4422 3.1). */
#define HOOKS_AUTH "AUTH-"
#define HOOKS_MECHANISM_MAX 20

struct hook {
	char name[HOOKS_NAME_MAX + 1]; /* in upper case */
	char *path;
	bool usable; /* this process can execute it */
};

/* = {0} has none. */
struct hooks {
	struct hook *hooks; /* HOOKS_MAX at most */
	size_t count;
	bool broken; /* nobody knows what is there: each is one that cannot be
		      * executed */

	/* Where there are new commands: all of them, for smtp_config. */
	struct smtp_command *commands;
	size_t command_count;
};

/*
 * Reads the directory, as the user who will run what is in it. What cannot be
 * used is logged, with the reason. False if there is no memory.
 */
bool hooks_read(struct hooks *hooks, const char *directory);

/* True if there is one, or nobody knows. */
bool hooks_any(const struct hooks *hooks);

/* The hook of that name, NULL if it has none. */
const struct hook *hooks_find(
    const struct hooks *hooks, const char *name, size_t length);

#endif
