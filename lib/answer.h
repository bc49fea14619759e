/* One reply of an upstream server as it arrives (RFC 5321 4.2): hostile, so
 * bounded and checked; never judges what a code means. */
#ifndef SMTPD_ANSWER_H
#define SMTPD_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

/* Octets of one line without its line end. RFC 5321 4.5.3.1.5 allows 510;
 * some servers say more. */
#define ANSWER_LINE_MAX 2048
/* Octets of all lines of one reply. */
#define ANSWER_MAX 65536
/* Octets of text that are kept to be quoted; the rest is left out. */
#define ANSWER_TEXT_MAX 2048

/* = {0} begins a connection; the next reply begins by itself. */
struct answer {
	bool begun;    /* a reply has begun; whole tells whether it ended */
	bool ended;    /* line has ended, and is still to be seen */
	bool whole;    /* the reply has ended */
	int code;      /* 200 to 599, once a line has ended */
	size_t lines;  /* that have ended */
	size_t octets; /* of the reply so far */
	size_t length; /* of line */
	size_t text_length;
	char line[ANSWER_LINE_MAX + 1]; /* as it came, code too, no line end */
	char text[ANSWER_TEXT_MAX];     /* behind the codes, LF between lines */
};

enum answer_found {
	ANSWER_NONE,  /* all input is used */
	ANSWER_LINE,  /* line[0..length) has ended; others follow */
	ANSWER_WHOLE, /* the same, and it is the last: code and text are good
		       * until the next call */
	ANSWER_BAD    /* this is no reply: too long, a NUL, no code, or another
		       * code than the line before; nothing helps now */
};

/*
 * Takes octets from *input, *input_length, moving both. A line ends in CRLF or
 * LF. However the octets are cut into calls, the same is found.
 */
enum answer_found answer_take(
    struct answer *answer, const char **input, size_t *input_length);

#endif
