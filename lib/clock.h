/* Time that never jumps, and the date. */
#ifndef SMTPD_CLOCK_H
#define SMTPD_CLOCK_H

#include <stdint.h>

/* Milliseconds of CLOCK_MONOTONIC. */
int64_t clock_now(void);

/* Microseconds since 1970. */
int64_t clock_date(void);

#endif
