/* What a local part may mean to Mailman 2.1: a list, and what is wanted of it;
 * never looks whether there is such a list. */
#ifndef SMTPD_LISTNAME_H
#define SMTPD_LISTNAME_H

#include <stdbool.h>
#include <stddef.h>

/* = {.text = …, .length = …} begins one; the rest is what was found last. */
struct listname {
	const char *text; /* a local part in lower case, without quotes */
	size_t length;
	bool begun;
	size_t name;         /* octets of text that are the list's name */
	const char *command; /* "post", "admin", ... */
};

/*
 * Finds the next meaning, the longest name first: all of it is a list, or
 * NAME-COMMAND or NAME-COMMAND+EXTENSION, as in news-confirm+123. False when
 * there is none left.
 */
bool listname_next(struct listname *listname);

#endif
