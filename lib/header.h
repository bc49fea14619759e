/* The header of a message that was taken in, one field at a time (RFC 5322
 * 2.2); knows no field's meaning. */
#ifndef SMTPD_HEADER_H
#define SMTPD_HEADER_H

#include <stdbool.h>
#include <stddef.h>

#include "environment.h"
#include "intake.h"

/* Octets of the longest name: no line may be longer, RFC 5322 2.1.1. */
#define HEADER_NAME_MAX 998

/* = {.message = …} begins, with the message at its first octet. */
struct header {
	struct intake *message; /* must outlive this */
	bool in_line;           /* the line is not used up */
	bool begun;             /* more than white space came of the value */
};

/*
 * Moves to the next field and gives its name, printable ASCII, which is good
 * until header_value(). The value before it must have been read to its end.
 * False at what is no field: an empty line, which is skipped, the end, or any
 * other line, which belongs to the body then.
 */
bool header_next(struct header *header, struct piece *name);

/*
 * Gives the next octets of the value, unfolded (line ends are left out, the
 * white space behind them is not) and without white space in front; good until
 * the next call. False when there are none left.
 */
bool header_value(struct header *header, struct piece *part);

#endif
