/* Networks of IP addresses as text; looks no name up. */
#ifndef SMTPD_NETWORK_H
#define SMTPD_NETWORK_H

#include <stdbool.h>
#include <stddef.h>

#include "ip.h"

#define NETWORK_TEXT_MAX IP_TEXT_MAX

struct network {
	struct ip ip;
	unsigned prefix; /* bits, 0 to 128 */
};

/* Reads an address, IPv4 or IPv6, in brackets or not. */
bool ip_parse(const char *text, struct ip *ip);

bool ip_is_loopback(const struct ip *ip);

/* Reads ADDRESS or ADDRESS/BITS. */
bool network_parse(const char *text, struct network *network);

/* An IPv4 address is in IPv4 networks only, however they are written. */
bool network_has(const struct network *network, const struct ip *ip);

#endif
