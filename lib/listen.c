#include "listen.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "log.h"
#include "number.h"
#include "paged.h"
#include "socket.h"
#include "text.h"

/* Connections that may wait to be accepted. */
#define BACKLOG 512

/* What to do about it, where that is not plain. */
static const char *
hint(const char *where, int error)
{
	if (error == EACCES && strncmp(where, "unix:", 5) == 0)
		return " (smtpd makes a file there)";
	if (error == EACCES)
		return " (ports below 1024 need root or CAP_NET_BIND_SERVICE)";
	if (error == EADDRINUSE)
		return " (another server, or a file, is there)";
	return "";
}

static bool
cannot_listen(const char *where, int error)
{
	log_error("cannot listen on %s: %s%s", where, strerror(error),
	    hint(where, error));
	return false;
}

/* One listener is all that a process has. */
static bool
keep(struct listener *listener, int socket)
{
	static PAGED int sockets[LISTEN_MAX];
	static PAGED const char *made[LISTEN_MAX];

	if (listener->count == LISTEN_MAX) {
		log_error(
		    "too many sockets to listen on (%d at most)", LISTEN_MAX);
		return false;
	}
	listener->sockets = sockets;
	listener->made = made;
	listener->sockets[listener->count++] = socket;
	return true;
}

/* Its port, 0 where there is none. */
static unsigned
port_of(int socket)
{
	union socket_address address = {0};
	socklen_t size = sizeof address;
	struct ip ip;
	unsigned port = 0;

	if (getsockname(socket, &address.any, &size) == 0)
		(void)socket_ip(&address, &ip, &port); /* or it stays 0 */
	return port;
}

/* A socket file that nobody listens on is left over from a crash. */
static void
remove_stale(const struct sockaddr_un *address)
{
	struct stat about;
	int probe;

	/* connect() says ECONNREFUSED of any other file, too. */
	if (lstat(address->sun_path, &about) != 0 || !S_ISSOCK(about.st_mode))
		return;
	probe = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (probe < 0)
		return;
	if (connect(probe, (const struct sockaddr *)address, sizeof *address) !=
		0 &&
	    errno == ECONNREFUSED)
		(void)unlink(address->sun_path); /* bind() will tell */
	(void)close(probe);
}

static bool
is_unix(const char *address)
{
	return strncmp(address, "unix:", 5) == 0 && address[5] != '\0';
}

static bool
open_unix(struct listener *listener, const char *address)
{
	const char *path = address + strlen("unix:");
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int fd;

	if (strlen(path) >= sizeof name.sun_path)
		return cannot_listen(address, ENAMETOOLONG);
	strcpy(name.sun_path, path);
	remove_stale(&name);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&name, sizeof name) != 0 ||
	    listen(fd, BACKLOG) != 0) {
		int error = errno;

		if (fd >= 0)
			(void)close(fd);
		return cannot_listen(address, error);
	}
	if (!keep(listener, fd))
		return false;
	listener->made[listener->count - 1] = path;
	return true;
}

/* A number that is one, or a name for getaddrinfo(3) to know, which would take
 * 65536 for 0 and -1 for 65535. */
static bool
is_port(const char *port)
{
	uint64_t number;

	return (text_is_letter(*port) && getservbyname(port, "tcp")) ||
	       number_parse(port, strlen(port), 65535, &number);
}

/* Splits HOST:PORT; host is empty for ":PORT". */
static bool
split(const char *address, char host[256], const char **port)
{
	const char *colon = strrchr(address, ':');
	size_t length = colon ? (size_t)(colon - address) : 0;

	if (!colon || length >= 256 || !is_port(colon + 1))
		return false;
	*port = colon + 1;
	if (length >= 2 && address[0] == '[' && address[length - 1] == ']') {
		address++;
		length -= 2;
	} else if (memchr(address, ':', length)) {
		return false; /* IPv6 without brackets: which colon? */
	}
	memcpy(host, address, length);
	host[length] = '\0';
	return true;
}

static int
open_one(const struct addrinfo *info)
{
	int on = 1, error;
	int fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (info->ai_family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
	if (bind(fd, info->ai_addr, info->ai_addrlen) == 0 &&
	    listen(fd, BACKLOG) == 0)
		return fd;
	error = errno;
	(void)close(fd);
	errno = error;
	return -1;
}

static void
set_port(struct addrinfo *info, unsigned port)
{
	if (info->ai_family == AF_INET)
		((struct sockaddr_in *)(void *)info->ai_addr)->sin_port =
		    htons((uint16_t)port);
	else
		((struct sockaddr_in6 *)(void *)info->ai_addr)->sin6_port =
		    htons((uint16_t)port);
}

/* Each address that the host has; a family that the system lacks is no
 * failure as long as the other one is there. */
static bool
open_all(struct listener *listener, struct addrinfo *list, const char *address)
{
	unsigned port = 0;
	size_t opened = 0;
	int error = 0;

	for (struct addrinfo *info = list; info; info = info->ai_next) {
		union socket_address wanted = {0};
		char text[SOCKET_TEXT_MAX];
		int fd;

		if (port)
			set_port(info, port);
		fd = open_one(info);
		if (fd >= 0) {
			if (!keep(listener, fd))
				return false;
			opened++;
			port = port_of(fd);
			continue;
		}
		error = errno;
		if (error == EAFNOSUPPORT || error == EADDRNOTAVAIL)
			continue;
		memcpy(&wanted, info->ai_addr, info->ai_addrlen);
		socket_text(&wanted, text);
		return cannot_listen(text, error);
	}
	return opened > 0 || cannot_listen(address, error);
}

bool
listen_spelt(const char *address)
{
	char host[256];
	const char *port;

	return is_unix(address) || split(address, host, &port);
}

bool
listen_open(struct listener *listener, const char *address)
{
	struct addrinfo hints = {
	    .ai_flags = AI_PASSIVE,
	    .ai_socktype = SOCK_STREAM,
	};
	struct addrinfo *list;
	char host[256];
	const char *port;
	int error;
	bool good;

	if (is_unix(address))
		return open_unix(listener, address);
	if (!split(address, host, &port))
		__builtin_trap();
	error = getaddrinfo(*host ? host : NULL, port, &hints, &list);
	if (error) {
		log_error("cannot listen on %s: %s", address,
		    error == EAI_SYSTEM ? strerror(errno)
					: gai_strerror(error));
		return false;
	}
	good = open_all(listener, list, address);
	freeaddrinfo(list);
	return good;
}

bool
listen_take(struct listener *listener, int socket)
{
	return keep(listener, socket);
}

void
listen_announce(const struct listener *listener)
{
	for (size_t i = 0; i < listener->count; i++) {
		union socket_address address = {0};
		socklen_t size = sizeof address;
		char text[SOCKET_TEXT_MAX] = "?";

		if (getsockname(listener->sockets[i], &address.any, &size) == 0)
			socket_text(&address, text);
		log_say("listening on %s", text);
	}
}

void
listen_remove(const struct listener *listener)
{
	for (size_t i = 0; i < listener->count; i++)
		if (listener->made[i])
			(void)unlink(listener->made[i]); /* the directory may
							  * be root's */
}
