/* Text for a terminal: control characters are shown and never sent. */
#ifndef SMTPD_VISIBLE_H
#define SMTPD_VISIBLE_H

#include <stddef.h>

#include "utf8.h"

/* Octets that visible() may write for length octets. */
#define VISIBLE_MAX(length) (4 * ((length) + 3))

/*
 * Writes text[0..length), the next octets of one text, to out and returns the
 * octets written, VISIBLE_MAX(length) at most. Tab, line feed and UTF-8 stay;
 * other control characters become ^X, and C1 control characters and octets
 * that are no UTF-8 become M-x, as cat -v writes them. *utf8 keeps a character
 * that was cut until the next call; = {0} begins a text.
 */
size_t visible(struct utf8 *utf8, const char *text, size_t length, char *out);

/* Ends the text, within VISIBLE_MAX(0): a cut character is shown. */
size_t visible_end(struct utf8 *utf8, char *out);

#endif
