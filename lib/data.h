/* The content of DATA as it comes off the wire (RFC 5321 4.5.2), decoded in
 * place: dots unstuffed, line ends checked; ends at CRLF.CRLF and at nothing
 * else. The same without dots, for BDAT. */
#ifndef SMTPD_DATA_H
#define SMTPD_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a bare LF, one without CR before it, is. A bare CR is always bad. */
enum data_newline {
	DATA_REJECT,    /* an error: the message is read to its end, refused */
	DATA_NORMALIZE, /* a line end, but a dot behind it is data */
	DATA_TERMINAL   /* the line end, as CRLF is; for a terminal only */
};

/* What is kept between pieces; = {0} and the first three fields begin one. */
struct data {
	enum data_newline newline;
	bool crlf;     /* line ends come out as CRLF, else as LF */
	bool chunked;  /* of BDAT (RFC 3030): a dot is an octet like others, and
			* the end is data_end()'s to say */
	bool bad;      /* a bare CR or LF was found: no more comes out */
	bool ended;    /* the final dot was read */
	uint64_t size; /* octets so far, line ends as CRLF (RFC 1870 3) */
	enum {
		DATA_LINE_START,
		DATA_LINE,
		DATA_CR,
		DATA_DOT,
		DATA_DOT_CR
	} state;
};

/*
 * Decodes from text[0..length), which it overwrites. Returns the octets used:
 * all of them, unless the end was found or a piece had to be handed out first.
 * *piece and *piece_length are what came out, good as long as text is.
 * Must not be called once ended is set.
 */
size_t data_decode(struct data *data, char *text, size_t length,
    const char **piece, size_t *piece_length);

/* Where chunked: no more will come, so that a CR at the end is bare. */
void data_end(struct data *data);

#endif
