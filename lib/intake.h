/* A message, taken in whole before anything is done with it, then read as
 * often as needed: in memory while it is short, else in a temporary file
 * without a name. Never changes an octet. */
#ifndef SMTPD_INTAKE_H
#define SMTPD_INTAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Octets kept in memory, and the most that intake_peek() can show. */
#define INTAKE_MEMORY 65536

/* = {0} begins one. */
struct intake {
	uint64_t size;     /* octets of the message */
	int error;         /* errno of the first failure; then it sticks */
	int file;          /* where it is, 0 where it is in memory */
	uint64_t loaded;   /* octets of the file read into memory so far */
	size_t start, end; /* what memory holds and is not yet used */
	bool more;         /* there may be more at source */
	bool by_hand;      /* source cannot be spliced from: reading waits */
	int source;
	uint64_t least; /* for the caller: octets that there must be */

	/* Where set, shown all octets that memory takes in, in order. */
	void (*show)(void *context, const char *text, size_t length);
	void *context;
	char memory[INTAKE_MEMORY];
};

/*
 * Reads descriptor to its end; a long message goes to TMPDIR, else /var/tmp,
 * else /tmp. Returns 0, or -1 with errno. There is nothing to release but a
 * descriptor, which is close-on-exec.
 */
int intake_read(struct intake *intake, int descriptor);

/* Does the first part of it: reads what memory holds, which intake_peek() then
 * shows; with more set there may be others, for one of the next two. */
int intake_begin(struct intake *intake, int descriptor);

/* Does the rest of it. */
int intake_rest(struct intake *intake);

/*
 * Instead of the rest, where nothing will be read twice: moves octets that are
 * not in memory to file, and keeps none. Returns how many, 0 where there are no
 * more, or -1 with errno; EAGAIN: wait until there are some, and again.
 */
ssize_t intake_pour(struct intake *intake, int file);

/* Starts again at the first octet. */
void intake_rewind(struct intake *intake);

/*
 * Shows the next octets: at least wanted of them (INTAKE_MEMORY at most),
 * fewer only where the message ends. *text is good until the next call.
 * Returns how many, 0 at the end and after an error.
 */
size_t intake_peek(struct intake *intake, size_t wanted, const char **text);

/* Moves on behind the first length octets that intake_peek() showed. */
void intake_use(struct intake *intake, size_t length);

/* A descriptor, close-on-exec, of a file that holds all of the message, set to
 * its first octet; whoever reads from it does not disturb the rest. -1 with
 * errno. */
int intake_file(struct intake *intake);

/* Octets of the empty line (LF or CRLF) that is next; 0 if none is. */
size_t intake_empty_line(struct intake *intake);

#endif
