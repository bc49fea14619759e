/* Memory that is kept until the process ends: for programs that are over after
 * one message, and spend more on malloc(3) than on what they want it for. */
#ifndef SMTPD_KEEP_H
#define SMTPD_KEEP_H

#include <stddef.h>

/* So many octets, all of them 0, aligned as malloc(3) would; never freed. NULL
 * with errno. */
void *keep(size_t size);

/* The same for count things of that size. */
void *keep_many(size_t count, size_t size);

#endif
