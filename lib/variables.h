/* Variables that hooks have set, for later hooks and the command; knows no
 * environment. */
#ifndef SMTPD_VARIABLES_H
#define SMTPD_VARIABLES_H

#include <stdbool.h>
#include <stddef.h>

/* How many, and octets of all, "NAME=value" and NUL each. */
#define VARIABLES_MAX 64
#define VARIABLES_OCTETS 16384

/* = {0} has none. */
struct variables {
	size_t count, length;
	bool marked[VARIABLES_MAX];
	size_t at[VARIABLES_MAX]; /* where in text each begins */
	char text[VARIABLES_OCTETS];
};

/* Sets a variable anew, octets copied, no NUL among them; marked ones can be
 * kept when others go. False if there is no room: nothing has changed. */
bool variables_set(struct variables *variables, const char *name,
    size_t name_length, const char *value, size_t value_length, bool marked);

/* Removes those that are not marked; with all, all. */
void variables_drop(struct variables *variables, bool all);

/* Removes all, and leaves no octet of them in memory. */
void variables_forget(struct variables *variables);

/* The variable of that name, up to an = if it has one; NULL if there is none.
 * Good until the next change. */
const char *variables_find(const struct variables *variables, const char *name);

#endif
