/* Socket addresses of every family, as text and as IP addresses. */
#ifndef SMTPD_SOCKET_H
#define SMTPD_SOCKET_H

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "network.h"

/* Octets of address and port as text, a NUL included. */
#define SOCKET_TEXT_MAX 160

union socket_address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct sockaddr_un un;
	struct sockaddr_storage storage;
};

/* The IP address and the port; false for any other family. */
bool socket_ip(
    const union socket_address *address, struct ip *ip, unsigned *port);

/* Writes ADDRESS:PORT, [IPv6]:PORT or unix:PATH with a NUL. */
void socket_text(
    const union socket_address *address, char text[SOCKET_TEXT_MAX]);

#endif
