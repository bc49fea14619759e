/* The content of DATA as it goes onto the wire (RFC 5321 4.5.2): CRLF for
 * every line end, dots doubled; never a CR or an LF alone. */
#ifndef SMTPD_DOTS_H
#define SMTPD_DOTS_H

#include <stdbool.h>
#include <stddef.h>

/* Octets that dots_end() may write. */
#define DOTS_END_MAX 5

/* What is kept between pieces; = {0} begins a message. */
struct dots {
	enum { DOTS_LINE_START, DOTS_LINE, DOTS_RETURN } state;
	bool bad; /* a CR without LF behind it: no more comes out */
};

/*
 * Encodes octets from *text, *length, moving both, to out[0..size), as many as
 * there is room for; line ends are LF or CRLF, in any mixture. Returns the
 * octets written. It goes on at least one octet where size is 2 or more, unless
 * bad is set.
 */
size_t dots_encode(struct dots *dots, const char **text, size_t *length,
    char *out, size_t size);

/*
 * Ends the message: its last line, if that had no end, and the final dot.
 * Returns the octets written, 0 and bad where it ended in a CR.
 */
size_t dots_end(struct dots *dots, char out[DOTS_END_MAX]);

#endif
