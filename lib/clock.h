/* What time it is: since some moment, never jumping, and since 1970. */
#ifndef SMTPD_CLOCK_H
#define SMTPD_CLOCK_H

#include <stdint.h>

/* Milliseconds of CLOCK_MONOTONIC. */
int64_t clock_now(void);

/* Microseconds of CLOCK_REALTIME: since 1970. */
int64_t clock_date(void);

#endif
