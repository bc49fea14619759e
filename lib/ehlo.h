/* Inside the state machine: the reply to EHLO, a table of keywords. */
#ifndef SMTPD_EHLO_H
#define SMTPD_EHLO_H

#include "smtp.h"

/* Words the reply, for a row of the table of commands. */
void compose_ehlo(struct smtp *smtp, const struct smtp_event *event);

#endif
