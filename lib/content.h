/* What the content of a message asks of whoever is to carry it: looked at
 * octet by octet, never changed. */
#ifndef SMTPD_CONTENT_H
#define SMTPD_CONTENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Octets that are looked at together in a body. */
#define CONTENT_BLOCK 64

/* = {0} begins a message; all of it is good after content_end(). */
struct content {
	uint64_t size;         /* octets, line ends as CRLF (RFC 1870 3) */
	uint64_t header_end;   /* offset of the first empty line; where there
				* is none, of the end */
	bool nul;              /* has a NUL */
	bool bare_return;      /* has a CR without LF behind it */
	bool bare_newline;     /* has an LF without CR before it */
	bool unfinished;       /* its last line has no end */
	bool eight_bit;        /* has an octet above 127 (RFC 6152) */
	bool header_eight_bit; /* has one in its header (RFC 6531 3.6) */

	/* Inside. */
	bool body;   /* behind the first empty line */
	char last;   /* octet seen */
	uint64_t at; /* octets seen */
	bool begun;  /* the line has an octet before its end */
};

/* Looks at the next octets. */
void content_look(struct content *content, const char *text, size_t length);

/* There are no more. */
void content_end(struct content *content);

#endif
