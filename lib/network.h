/* IP addresses and networks as text and as octets; looks no name up. */
#ifndef SMTPD_NETWORK_H
#define SMTPD_NETWORK_H

#include <stdbool.h>
#include <stddef.h>

/* INET6_ADDRSTRLEN */
#define NETWORK_TEXT_MAX 46

/* An address; IPv4 as IPv4-mapped IPv6 (RFC 4291 2.5.5.2). */
struct ip {
	unsigned char octets[16];
};

struct network {
	struct ip ip;
	unsigned prefix; /* bits, 0 to 128 */
};

/* Reads an address, IPv4 or IPv6, in brackets or not. */
bool ip_parse(const char *text, struct ip *ip);

/* Writes it with a NUL; an IPv4-mapped one as IPv4. */
void ip_format(const struct ip *ip, char text[NETWORK_TEXT_MAX]);

bool ip_is_loopback(const struct ip *ip);

/* Reads ADDRESS or ADDRESS/BITS. */
bool network_parse(const char *text, struct network *network);

/* An IPv4 address is in IPv4 networks only, however they are written. */
bool network_has(const struct network *network, const struct ip *ip);

#endif
