#include "peer.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "number.h"
#include "socket.h"

static bool
from_socket(const union socket_address *address, struct ip *ip, char *text,
    char port[6])
{
	unsigned number;

	if (!socket_ip(address, ip, &number))
		return false;
	ip_format(ip, text);
	(void)snprintf(port, 6, "%u", number & 0xffff); /* it fits */
	return true;
}

/* Reads an address and a port that a launcher put into the environment. */
static bool
from_words(const char *ip_name, const char *port_name, struct ip *ip,
    char *text, char port[6])
{
	const char *address = getenv(ip_name);
	const char *number = port_name ? getenv(port_name) : NULL;
	uint64_t value;

	if (!address || !ip_parse(address, ip))
		return false;
	ip_format(ip, text);
	if (number && number_parse(number, strlen(number), 65535, &value))
		(void)snprintf(port, 6, "%u", (unsigned)value); /* it fits */
	return true;
}

/* The launchers: UCSPI (tcpserver), systemd, stunnel and xinetd, socat. */
static const struct {
	const char *remote_ip, *remote_port, *local_ip, *local_port;
} words[] = {
    {"TCPREMOTEIP", "TCPREMOTEPORT", "TCPLOCALIP", "TCPLOCALPORT"},
    {"REMOTE_ADDR", "REMOTE_PORT", NULL, NULL},
    {"REMOTE_HOST", NULL, NULL, NULL},
    {"SOCAT_PEERADDR", "SOCAT_PEERPORT", "SOCAT_SOCKADDR", "SOCAT_SOCKPORT"},
};

static bool
find_words(struct peer *peer)
{
	struct ip local;

	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		if (!from_words(words[i].remote_ip, words[i].remote_port,
			&peer->ip, peer->remote_ip, peer->remote_port))
			continue;
		if (words[i].local_ip)
			(void)from_words(words[i].local_ip, words[i].local_port,
			    &local, peer->local_ip, peer->local_port);
		return true;
	}
	return false;
}

/* What stat says of a descriptor that no network socket is on. */
static enum peer_kind
local_kind(struct peer *peer, int descriptor)
{
	struct stat about;
	union socket_address local = {0};
	socklen_t size = sizeof local;

	if (isatty(descriptor))
		return PEER_LOCAL;
	if (fstat(descriptor, &about) == 0 && S_ISREG(about.st_mode))
		return PEER_LOCAL;
	if (getsockname(descriptor, &local.any, &size) != 0 ||
	    local.any.sa_family != AF_UNIX ||
	    size <= offsetof(struct sockaddr_un, sun_path))
		return PEER_UNKNOWN;
	/* An abstract name begins with NUL, and anyone may connect to it. */
	peer->named = local.un.sun_path[0] != '\0';
	return PEER_UNIX;
}

void
peer_find(struct peer *peer, int descriptor, bool launched)
{
	union socket_address remote = {0}, local = {0};
	socklen_t remote_size = sizeof remote, local_size = sizeof local;
	struct ip local_ip;

	*peer = (struct peer){0};
	peer->network =
	    getsockname(descriptor, &local.any, &local_size) == 0 &&
	    from_socket(&local, &local_ip, peer->local_ip, peer->local_port);
	if (getpeername(descriptor, &remote.any, &remote_size) == 0 &&
	    from_socket(
		&remote, &peer->ip, peer->remote_ip, peer->remote_port)) {
		peer->kind = PEER_TCP;
		return;
	}
	if (launched && find_words(peer))
		peer->kind = PEER_TCP;
	else
		peer->kind = local_kind(peer, descriptor);
}

const char *
peer_name(const struct peer *peer)
{
	return peer->kind == PEER_TCP ? peer->remote_ip
				      : "a client that has no address";
}

bool
peer_is_local(const struct peer *peer)
{
	switch (peer->kind) {
	case PEER_TCP:
		return ip_is_loopback(&peer->ip);
	case PEER_UNIX:
		return peer->named;
	case PEER_LOCAL:
		return true;
	case PEER_UNKNOWN:
		break;
	}
	return false;
}
