/* ESMTP parameters of MAIL and RCPT (RFC 5321 4.1.2); splits and spells,
 * knows no keyword. */
#ifndef SMTPD_PARAM_H
#define SMTPD_PARAM_H

#include <stdbool.h>
#include <stddef.h>

/* One parameter, lent by the text it was found in. */
struct param {
	const char *keyword;
	size_t keyword_length;
	const char *value; /* NULL where there is no "=" */
	size_t value_length;
};

enum param_found {
	PARAM_FOUND,
	PARAM_END,
	PARAM_BAD /* no keyword, no value behind "=", or an octet that is
		     neither printable nor, with utf8, UTF-8 */
};

/*
 * Takes the next parameter from text[*at..length) and moves *at behind it;
 * parameters are separated by one or more spaces.
 */
enum param_found param_next(const char *text, size_t length, bool utf8,
    size_t *at, struct param *param);

/* True if the keyword of param is name, compared without case. */
bool param_is(const struct param *param, const char *name);

/* True if a parameter before *param in text[0..length) has its keyword. */
bool param_repeated(
    const char *text, size_t length, bool utf8, const struct param *param);

/*
 * Writes the parameters of text[0..length) to out, keywords in upper case, one
 * space between two. Returns the octets written, at most length.
 */
size_t param_normalize(const char *text, size_t length, bool utf8, char *out);

#endif
