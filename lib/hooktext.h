/* What a hook may print, and what that means together with its exit status;
 * runs nothing, and keeps no variable. */
#ifndef SMTPD_HOOKTEXT_H
#define SMTPD_HOOKTEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "verdict.h"

/* Octets of all that a hook may print: variables and a reply. What is longer is
 * malformed, so a reader may stop at one octet more. */
#define HOOKTEXT_MAX 16384
/* Octets of a variable's name, and of its value. */
#define HOOKTEXT_NAME_MAX 64
#define HOOKTEXT_VALUE_MAX HOOKTEXT_MAX

/* What a line is. */
enum hooktext_kind {
	HOOKTEXT_VARIABLE,  /* X_NAME=value */
	HOOKTEXT_USER,      /* SMTP_AUTH_USER=name; AUTH-NAME hooks only */
	HOOKTEXT_CHALLENGE, /* 334 BASE64; the same */
	HOOKTEXT_REPLY,     /* a reply begins here: 2xx, 4xx or 5xx */
	HOOKTEXT_OTHER      /* none of these */
};

/* A line, lent by the text it was found in. */
struct hooktext_line {
	enum hooktext_kind kind;
	/* Of HOOKTEXT_VARIABLE: X_ and one or more of A-Z, 0-9 and _. */
	const char *name;
	size_t name_length;
	/* Of HOOKTEXT_VARIABLE: what text_is_clean() takes, perhaps nothing. Of
	 * HOOKTEXT_USER: what sasl_user_valid() takes. Of HOOKTEXT_CHALLENGE:
	 * base64, perhaps nothing, short enough for SASL_LINE_MAX. */
	const char *value;
	size_t value_length;
};

/*
 * Says what the line text[0..length), without its LF and with or without a CR,
 * is. A value that is not as above makes it HOOKTEXT_OTHER, which from an
 * AUTH-NAME hook is the end: hooktext_login() without a reply.
 */
void hooktext_line(const char *text, size_t length, struct hooktext_line *line);

/* Takes the next variable from text[*at..length) and moves *at behind its line;
 * false, with *at left alone, where the variables end. */
bool hooktext_variable(
    const char *text, size_t length, size_t *at, struct hooktext_line *line);

/*
 * What a hook that has ended so tells the client: writes the reply to reply, as
 * verdict() does and within the same size, and returns its octets; 0 where
 * smtpd goes on as if there were no hook. A reply behind the variables words
 * it; without one the status decides. A reply that says more than the status,
 * and malformed output beside success, is 451 4.3.0.
 *
 * *variables is set to the octets of output in which hooktext_variable() finds
 * variables that count: 0 for a hook that did not exit, and where output is too
 * long or malformed beside success.
 */
size_t hooktext_verdict(enum verdict_end end, int status, const char *output,
    size_t length, bool utf8, char *reply, size_t size, size_t *variables);

/*
 * The same for an AUTH-NAME hook, whose final reply is text[0..length), from
 * the line that is HOOKTEXT_REPLY to the end; has_user says whether a line
 * named the user. A reply that begins with 235 means that the user is logged
 * in. No reply, 2xx but 235, 235 without a user or beside any status but 0 and
 * what says more than the status is 454 4.7.0. Never 0.
 */
size_t hooktext_login(enum verdict_end end, int status, const char *text,
    size_t length, bool utf8, bool has_user, char *reply, size_t size);

#endif
