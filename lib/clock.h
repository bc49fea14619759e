/* Time that never jumps. */
#ifndef SMTPD_CLOCK_H
#define SMTPD_CLOCK_H

#include <stdint.h>

/* Milliseconds of CLOCK_MONOTONIC. */
int64_t clock_now(void);

#endif
