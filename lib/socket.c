#include "socket.h"

#include <stdio.h>
#include <string.h>

bool
socket_ip(const union socket_address *address, struct ip *ip, unsigned *port)
{
	switch (address->any.sa_family) {
	case AF_INET:
		memset(ip->octets, 0, 10);
		memset(ip->octets + 10, 0xff, 2);
		memcpy(ip->octets + 12, &address->in.sin_addr, 4);
		*port = ntohs(address->in.sin_port);
		return true;
	case AF_INET6:
		memcpy(ip->octets, &address->in6.sin6_addr, 16);
		*port = ntohs(address->in6.sin6_port);
		return true;
	default:
		return false;
	}
}

void
socket_text(const union socket_address *address, char text[SOCKET_TEXT_MAX])
{
	bool brackets = address->any.sa_family == AF_INET6;
	char host[NETWORK_TEXT_MAX];
	struct ip ip;
	unsigned port;

	if (!socket_ip(address, &ip, &port)) {
		(void)snprintf(text, SOCKET_TEXT_MAX, "unix:%.*s",
		    (int)sizeof address->un.sun_path, address->un.sun_path);
		return;
	}
	ip_format(&ip, host);
	(void)snprintf(
	    text, SOCKET_TEXT_MAX, brackets ? "[%s]:%u" : "%s:%u", host, port);
}
