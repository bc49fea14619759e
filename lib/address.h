/* Mail addresses and paths of RFC 5321 4.1.2; judges spelling, never whether
 * a mailbox exists. */
#ifndef SMTPD_ADDRESS_H
#define SMTPD_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

/* Octets of a domain, RFC 5321 4.5.3.1.2; a local part may fill the line. */
#define ADDRESS_DOMAIN_MAX 255

/* A mailbox as it was written, lent by the text it was parsed from. The null
 * reverse-path has length 0; an address without a domain ("postmaster") has
 * domain_length 0. */
struct address {
	const char *text;
	size_t length;
	size_t local_length; /* octets before the @, quotes included */
	const char *domain;  /* behind the @; a literal with its brackets */
	size_t domain_length;
	bool utf8; /* holds an octet outside ASCII (RFC 6531) */
};

/*
 * Reads one mailbox from the start of text[0..length): a dot-string (dots
 * anywhere) or a quoted string, then, if an @ follows, a domain (underscores
 * allowed) or an address literal. UTF-8 beyond ASCII only where utf8 says so
 * (RFC 6531 3.3), and never C1 control characters. Returns the octets read, 0
 * if there is no mailbox. What follows is the caller's to judge.
 */
size_t address_parse(
    const char *text, size_t length, bool utf8, struct address *address);

/*
 * Reads one path: "<" [source-route ":"] mailbox ">", "<>", or a mailbox
 * without brackets. The route is checked and dropped (RFC 5321 appendix C).
 * Returns the octets read, 0 if there is no path. "<>" gives length 0.
 */
size_t path_parse(
    const char *text, size_t length, bool utf8, struct address *address);

/* True if text[0..length) is a whole domain or address literal. */
bool domain_valid(const char *text, size_t length, bool utf8);

/* True if the local part holds %, ! or @, on which a next hop might route. */
bool address_routes(const struct address *address);

#endif
