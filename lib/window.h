/* The dialogue's side of the two shared windows: content is kept in one until
 * it is full, and goes on in the other while the agent has that one. */
#ifndef SMTPD_WINDOW_H
#define SMTPD_WINDOW_H

#include <stddef.h>

#include "channel.h"

/* = {.memory = …} begins a connection. */
struct window {
	char *memory;  /* SPOOL_WINDOW octets, twice */
	int index;     /* of the one being filled */
	int lent;      /* how many the agent has, up to 2 */
	size_t filled; /* octets in the one being filled */
};

/* Where the next octets of content will be kept, and how many there is room
 * for: one at least. */
char *window_place(const struct window *window, size_t *room);

/* Keeps content, which may lie at window_place() already. A window that is full
 * is handed over, and the agent waited for while it has both. */
void window_keep(struct window *window, struct channel *channel,
    const char *text, size_t length);

/* The agent has given one back: RECORD_WINDOW. */
void window_returned(struct window *window);

#endif
