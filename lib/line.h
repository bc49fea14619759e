/* Cuts what a client sends into command lines; knows no command. */
#ifndef SMTPD_LINE_H
#define SMTPD_LINE_H

#include <stdbool.h>
#include <stddef.h>

/* Octets of the longest line that any command may have, CRLF included: that of
 * a response in AUTH (RFC 4954 4). */
#define LINE_MAX_OCTETS 12288

/* What is kept of a line between reads; = {0} begins a connection. */
struct line {
	char text[LINE_MAX_OCTETS];
	size_t length; /* octets of text */
	bool strict;   /* only CRLF ends a line; else LF does */
	bool skipping; /* up to the next CRLF all is swallowed */
	char last;     /* octet taken */
};

enum line_found {
	LINE_NONE,  /* all input is used, no line has ended */
	LINE_WHOLE, /* a line: *text, *length, without its end */
	LINE_LONG,  /* it outgrew LINE_MAX_OCTETS; the rest will be swallowed */
	LINE_BARE   /* strict, and a bare LF: what it ended is void, and so is
		     * all up to the next CRLF */
};

/*
 * Takes octets from *input, *input_length, moving both. *text lies in the
 * input or in line, good until the next call. The same octets give the same
 * lines however they are cut into calls.
 */
enum line_found line_take(struct line *line, char **input, size_t *input_length,
    char **text, size_t *length);

#endif
