/* Dates as mail and logs write them; UTC only, so that no zone file is read. */
#ifndef SMTPD_DATE_H
#define SMTPD_DATE_H

#include <stddef.h>
#include <stdint.h>

/* Octets that either function may write, its NUL included. */
#define DATE_TEXT_MAX 40

/*
 * Writes seconds since 1970 as an RFC 5322 3.3 date-time
 * ("Sun, 22 Nov 2026 01:29:46 +0000") with a NUL; returns its length.
 */
size_t date_rfc5322(int64_t seconds, char out[DATE_TEXT_MAX]);

/* The same as RFC 3339 ("2026-11-22T01:29:46Z"). */
size_t date_rfc3339(int64_t seconds, char out[DATE_TEXT_MAX]);

#endif
