/* A message on its way from dialogue to command: in two shared windows, and
 * what is longer in an unlinked file of the agent's own. */
#ifndef SMTPD_SPOOL_H
#define SMTPD_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Octets of each window: a message that fits in one never sees a disk. */
#define SPOOL_WINDOW ((size_t)256 * 1024)

struct spool {
	char *windows;  /* two, shared with the dialogue */
	int index;      /* of the one being filled */
	int file;       /* -1 as long as none is needed */
	uint64_t filed; /* octets in the file */
	size_t tail;    /* octets in the window, once the message is whole */
	bool failed;    /* it could not be stored; the reason is logged */
	bool large;     /* the windows have memory to give back */
};

/* Maps the windows, which a fork then shares; false with errno. */
bool spool_begin(struct spool *spool);

/* The window being filled is full: stores it, goes on to the other one. */
void spool_window(struct spool *spool);

/* The message is whole, with its last octets in the window being filled. */
void spool_end(struct spool *spool, size_t tail);

/* Octets of the message. */
uint64_t spool_size(const struct spool *spool);

/* Forgets the message, and gives its disk back. */
void spool_reset(struct spool *spool);

/* Gives back what memory a large message has taken: the windows are zeros
 * then. Only while the dialogue waits, with nothing of its own in them. */
void spool_shrink(struct spool *spool);

/* A message, with what is put on top of it, being fed into a pipe. */
struct feed {
	const struct spool *spool;
	const char *head;
	size_t head_length;
	uint64_t at; /* octets written, head included */
	bool no_splice;
};

enum feed_result {
	FEED_MORE,   /* the pipe is full for now */
	FEED_DONE,   /* all is written */
	FEED_CLOSED, /* the reader has closed it: it wants no more */
	FEED_FAILED  /* the file could not be read, as logged: what the reader
		      * has is not whole, and it must not think it is */
};

/* Writes what the pipe, which does not block, takes. */
enum feed_result spool_feed(struct feed *feed, int pipe);

#endif
