/* The envelope as a command finds it in its environment (smtpd-delivery(7));
 * reads the environment and nothing else, and never changes it. */
#ifndef SMTPD_ENVIRONMENT_H
#define SMTPD_ENVIRONMENT_H

#include <stdbool.h>
#include <stddef.h>

/* Octets lent by the environment: good until it is changed. */
struct piece {
	const char *text; /* NULL: there is none */
	size_t length;
};

/* The value of a variable; text is NULL where it is not set. */
struct piece environment_value(const char *name);

/*
 * Takes the next line off *lines, which are separated by newlines with none
 * at the end: "" is one empty line. False when there is none left.
 */
bool piece_next_line(struct piece *lines, struct piece *line);

/* Takes the next word off *words, separated by spaces; words are never empty.
 * False when there is none left. */
bool piece_next_word(struct piece *words, struct piece *word);

/* What is left of the recipients. */
struct recipients {
	struct piece addresses, options;
};

/* All of them: RECIPIENTS with SMTP_RCPT_OPTIONS. */
struct recipients environment_recipients(void);

/*
 * Takes the next recipient: its address and its words of RCPT parameters
 * (RFC 5321 4.1.2; text is NULL where it has none). False when there is none
 * left.
 */
bool recipients_next(struct recipients *recipients, struct piece *address,
    struct piece *options);

#endif
