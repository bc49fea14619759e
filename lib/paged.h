/* Memory of what not every session uses, or not all of: each begins a page of
 * its own. What every session uses is then together, on as few pages as can be,
 * because linkers sort by alignment where they are told to (Makefile). */
#ifndef SMTPD_PAGED_H
#define SMTPD_PAGED_H

#include <stddef.h>

/* Where pages are larger, some share one. */
#define PAGED_OCTETS 4096
#define PAGED _Alignas(PAGED_OCTETS)

/* What is written before the dialogue is forked, and not by a session that only
 * waits: beside initialised variables, on a page that agent and dialogue go on
 * having in common. */
#define SETTLED __attribute__((section(".data.settled")))

/* Gives octets of such memory, a multiple of PAGED_OCTETS, back to the system,
 * where they are whole pages: they are zeros then, or as they were. */
void paged_release(void *memory, size_t octets);

#endif
