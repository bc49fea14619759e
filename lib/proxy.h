/* The PROXY header with which a proxy names the client, version 1 (text) and 2
 * (binary), from haproxy's proxy-protocol.txt; reads no octet behind it, and
 * does not ask who may send it. */
#ifndef SMTPD_PROXY_H
#define SMTPD_PROXY_H

#include <stdbool.h>
#include <stddef.h>

#include "ip.h"

/* Octets of a version 1 header with its CRLF. */
#define PROXY_TEXT_MAX 107
/* Octets of a version 2 header before its length counts, and of what may
 * follow: ours, since 65535 might. haproxy sends fewer than 536. */
#define PROXY_BINARY_HEAD 16
#define PROXY_BINARY_MAX 2048
/* Octets of the name of a TLS version or cipher. */
#define PROXY_TLS_MAX 63

enum proxy_step {
	PROXY_MORE, /* all was taken, and the header goes on */
	PROXY_DONE,
	PROXY_BAD /* no PROXY header, or one that lies: hang up */
};

/* Who the client is. */
enum proxy_family {
	PROXY_UNKNOWN, /* not said: UNKNOWN, UNSPEC */
	PROXY_UNIX,    /* a Unix socket, whose names are not told */
	PROXY_TCP      /* source and destination are good */
};

/* A header being read; = {0} begins one. The rest is good after PROXY_DONE. */
struct proxy {
	bool local; /* LOCAL, the proxy's own connection, as a health check is:
		     * nothing below is said */
	enum proxy_family family;
	struct ip source; /* the client, IPv4 as IPv4-mapped IPv6 */
	struct ip destination;
	unsigned source_port; /* 0 to 65535 */
	unsigned destination_port;
	bool tls; /* the client speaks TLS to the proxy */
	/* Graphic ASCII with a NUL; empty where it is not said. */
	char tls_version[PROXY_TLS_MAX + 1];
	char tls_cipher[PROXY_TLS_MAX + 1];

	/* The room's own. */
	enum proxy_step step;
	size_t length;
	char octets[PROXY_BINARY_HEAD + PROXY_BINARY_MAX];
};

/*
 * Takes the next octets of the connection, cut anywhere; *used of them belong
 * to the header, and those behind are the client's, never looked at. After
 * PROXY_DONE and PROXY_BAD the answer stays, and nothing is taken.
 *
 * Version 1: exactly one space between two words, addresses of the named
 * family, numbers without zeros in front; what follows UNKNOWN is ignored, but
 * a bare CR or LF in it is bad. Version 2: LOCAL ignores all that follows; else
 * the protocol is unspecified or a stream, the length has room for what the
 * family needs, the TLVs fill it, a CRC32C is right.
 */
enum proxy_step proxy_take(
    struct proxy *proxy, const char *octets, size_t length, size_t *used);

#endif
