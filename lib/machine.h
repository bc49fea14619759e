/* Inside the state machine: its output, and what its rooms do to it. */
#ifndef SMTPD_MACHINE_H
#define SMTPD_MACHINE_H

#include <stdbool.h>

#include "smtp.h"

/* Adds to the output, which has room. */
void machine_put(struct smtp *smtp, const char *text, size_t length);

/* The code of the reply that begins at start in the output. */
int machine_code(const struct smtp *smtp, size_t start);

/* What each reply does, whoever worded it: it is there, from start on. */
void machine_said(struct smtp *smtp, size_t start);

/* Makes smtp->event one of that kind, and returns it. */
const struct smtp_event *machine_event(struct smtp *smtp, enum smtp_kind kind);

/* True if kind is one that a verdict on a message answers. */
bool machine_is_verdict(enum smtp_kind kind);

/* The machine's own answer to a command or to a message, as an event. */
const struct smtp_event *machine_refuse(
    struct smtp *smtp, enum smtp_kind kind, const char *reply);

/* The transaction is over, whatever became of it. */
void machine_end_transaction(struct smtp *smtp);

#endif
