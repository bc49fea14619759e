/* What a policy server answers, and what that means for a hook: silence, a
 * reply, a header field, or a line of log; asks nobody. Sources: Postfix's
 * SMTPD_POLICY_README and access(5). */
#ifndef SMTPD_ACTION_H
#define SMTPD_ACTION_H

#include <stdbool.h>
#include <stddef.h>

#include "reply.h"

/* Octets of an answer, the empty line at its end included. */
#define ACTION_ANSWER_MAX 8192
/* Octets of a header field, on one line (RFC 5322 2.1.1). */
#define ACTION_FIELD_MAX 998

enum action_found {
	ACTION_PART,   /* the answer is not whole yet */
	ACTION_FOUND,  /* it is, and has its action */
	ACTION_GARBLED /* it can be no answer, however it goes on */
};

/*
 * Finds the action in text[0..length), an answer as far as it has been read:
 * lines name=value, ending in LF or CRLF, up to an empty one, of which exactly
 * one is named action and has a value. *value is part of text. What is behind
 * the empty line does not count.
 */
enum action_found action_find(
    const char *text, size_t length, const char **value, size_t *value_length);

enum action_kind {
	ACTION_PASS,    /* nothing is to be done */
	ACTION_REFUSE,  /* text is the reply */
	ACTION_PREPEND, /* text is a header field */
	ACTION_NOTE,    /* text is for the log, and that was all */
	ACTION_UNKNOWN  /* text is for the log: no hook can do that */
};

struct action {
	enum action_kind kind;
	int code;      /* of the reply, 4xx or 5xx */
	size_t length; /* of text */
	char text[ACTION_FIELD_MAX];
};

/*
 * Reads an action: its first word, in any case, and the text behind it. The
 * text is the server's, cleaned and cut to fit; a reply is one line as
 * reply_code() likes it, with LF and an enhanced code of its class. utf8 says
 * whether the client takes UTF-8.
 */
void action_read(
    struct action *action, const char *value, size_t length, bool utf8);

#endif
