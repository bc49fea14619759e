/* IP addresses as text and as octets, the same with every libc; looks no name
 * up. */
#ifndef SMTPD_IP_H
#define SMTPD_IP_H

#include <stdbool.h>
#include <stddef.h>

/* Octets of an address as text with a NUL: INET6_ADDRSTRLEN. */
#define IP_TEXT_MAX 46

/* An address; IPv4 as IPv4-mapped IPv6 (RFC 4291 2.5.5.2). */
struct ip {
	unsigned char octets[16];
};

/* Reads the whole of text[0..length) as four decimal numbers, none with a zero
 * in front; false, with *ip left alone, if it is no such address. */
bool ip_read_v4(const char *text, size_t length, struct ip *ip);

/* The same for the forms of RFC 4291 2.2: full, with one "::", with IPv4 at the
 * end; no zone. */
bool ip_read_v6(const char *text, size_t length, struct ip *ip);

/* True if it is IPv4, which an IPv4-mapped address is, too. */
bool ip_is_v4(const struct ip *ip);

/* Writes it with a NUL, as RFC 5952 has it, an IPv4-mapped one as IPv4. */
void ip_format(const struct ip *ip, char text[IP_TEXT_MAX]);

#endif
