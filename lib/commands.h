/* Inside the state machine: what a command line is by the table, and what the
 * table has against it. */
#ifndef SMTPD_COMMANDS_H
#define SMTPD_COMMANDS_H

#include <stdbool.h>
#include <stddef.h>

#include "smtp.h"

/* Fills in the event with the parts of line[0..length) and its row. */
void command_split(struct smtp *smtp, const char *line, size_t length);

/* The reply that refuses the command of the event, for its length, its syntax
 * or its place in the sequence; NULL if there is nothing against it. */
const char *command_objection(struct smtp *smtp);

/* True if the first line of a connection is from a browser or a scanner. */
bool command_is_probe(const char *line, size_t length);

/* Rows' checks of MAIL and RCPT: path and parameters. */
const char *check_mail(struct smtp *smtp, struct smtp_event *event);
const char *check_rcpt(struct smtp *smtp, struct smtp_event *event);

/* Words the greeting. */
void compose_greeting(struct smtp *smtp, const struct smtp_event *event);

#endif
