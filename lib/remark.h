/* What the log is told at the start of options that do not do what whoever gave
 * them may think. */
#ifndef SMTPD_REMARK_H
#define SMTPD_REMARK_H

#include <stdbool.h>

#include "settings.h"

/* Logs each option that others, or the launcher, leave without effect, and of
 * those about TLS and AUTH each that refuses all mail. The settings are whole;
 * listening says whether it is smtpd that accepts connections. */
void remark_useless(const struct settings *settings, bool listening);

#endif
