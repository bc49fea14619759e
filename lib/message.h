/* The message of a transaction: its content, as the dialogue hands it over, to
 * the command, whose verdict goes back. Each is for the record of its name, and
 * false if a sound dialogue would not have sent it. */
#ifndef SMTPD_MESSAGE_H
#define SMTPD_MESSAGE_H

#include <stdbool.h>

#include "record.h"
#include "transaction.h"

/* A window is full. */
bool message_content(
    struct transaction *transaction, const struct record *record);

/* The message is whole: runs the command, and answers. */
bool message_whole(
    struct transaction *transaction, const struct record *record);

/* LMTP: the verdict for the next recipient. */
bool message_verdict(
    struct transaction *transaction, const struct record *record);

/* The machine has refused the message at its end. */
bool message_dropped(
    struct transaction *transaction, const struct record *record);

#endif
