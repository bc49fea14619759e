/* The values that RFC 3461 gives MAIL and RCPT, and AUTH= of MAIL (RFC 4954 5):
 * predicates over the octets behind the "=", case-insensitive where the RFCs
 * are, false where there is none; sends no notification and believes no AUTH=.
 */
#ifndef SMTPD_DSN_H
#define SMTPD_DSN_H

#include <stdbool.h>
#include <stddef.h>

/* Octets of each value as it is written, xtext not decoded. */
#define DSN_ORCPT_MAX 500 /* RFC 3461 4.2 */
#define DSN_ENVID_MAX 100 /* RFC 3461 4.4 */
#define DSN_AUTH_MAX 500  /* what RFC 4954 3 (6) adds to the line */

/* NEVER, or a list of SUCCESS, FAILURE and DELAY between commas, each once at
 * most (RFC 3461 4.1). */
bool dsn_notify(const char *text, size_t length);

/*
 * addr-type ";" xtext (RFC 3461 4.2). What the xtext stands for is printable
 * ASCII and spaces, as there: no +0A; or UTF-8, since Postfix spells it so, but
 * no control character. Where the type is utf-8 (RFC 6533 3) also \x{HEX}, and,
 * if utf8, UTF-8 as it is.
 */
bool dsn_orcpt(const char *text, size_t length, bool utf8);

/* FULL or HDRS (RFC 3461 4.3). */
bool dsn_ret(const char *text, size_t length);

/* xtext of printable ASCII and spaces, not empty (RFC 3461 4.4). */
bool dsn_envid(const char *text, size_t length);

/* <>, or a mailbox with its domain as xtext (RFC 4954 5); outside ASCII only
 * if utf8, as it is or as xtext. */
bool dsn_auth(const char *text, size_t length, bool utf8);

#endif
