/* Memory of what not every session uses, or not all of: each begins a page of
 * its own. What every session uses is then together, on as few pages as can be,
 * because linkers sort by alignment where they are told to (Makefile). */
#ifndef SMTPD_PAGED_H
#define SMTPD_PAGED_H

#define PAGED _Alignas(4096)

#endif
