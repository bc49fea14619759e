/* AUTH (RFC 4954) inside the state machine: challenges and responses, up to
 * user and password; checks neither. */
#ifndef SMTPD_EXCHANGE_H
#define SMTPD_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>

#include "smtp.h"

/* For the row of AUTH. */
bool auth_offered(const struct smtp *smtp);
const char *check_auth(struct smtp *smtp, struct smtp_event *event);

/*
 * Begins, when check_auth() has nothing against the command. NULL: the event
 * has its kind, SMTP_ASKED where a challenge was put out; else the reply that
 * refuses it.
 */
const char *exchange_begin(struct smtp *smtp);

/* Makes the event of the next response, without it. */
void exchange_event(struct smtp *smtp);

/* Takes line[0..length), the next response; as exchange_begin(). */
const char *exchange_take(struct smtp *smtp, char *line, size_t length);

/* Forgets and wipes it. */
void exchange_end(struct smtp *smtp);

/* Writes the mechanisms, as EHLO names them, to out[0..size); returns the
 * octets. */
size_t exchange_mechanisms(
    const struct smtp_config *config, char *out, size_t size);

#endif
