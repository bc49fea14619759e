/* AUTH (RFC 4954) inside the state machine: challenges and responses, up to
 * user and password; checks neither. */
#ifndef SMTPD_EXCHANGE_H
#define SMTPD_EXCHANGE_H

#include <stddef.h>

#include "smtp.h"

/* Row of AUTH: mechanism and initial response. */
const char *check_auth(struct smtp *smtp, struct smtp_event *event);
bool auth_offered(const struct smtp *smtp);

/*
 * Begins, after check_auth(). NULL: the event has its kind, SMTP_READ where
 * nothing has happened but that a challenge was put out. Else the reply that
 * refuses it.
 */
const char *exchange_begin(struct smtp *smtp);

/* Takes the next response, which is wiped; as exchange_begin(). */
const char *exchange_take(struct smtp *smtp, char *line, size_t length);

/* Forgets and wipes it. */
void exchange_end(struct smtp *smtp);

/* Writes the mechanisms, as EHLO names them, to out[0..size); returns the
 * octets. */
size_t exchange_mechanisms(
    const struct smtp_config *config, char *out, size_t size);

#endif
