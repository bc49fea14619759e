#include "listen.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "log.h"
#include "network.h"
#include "reply.h"
#include "signals.h"

/* Connections that may wait to be accepted. */
#define BACKLOG 512

/* A session that is running. */
struct child {
	pid_t pid;
	bool known; /* the client has an address */
	struct ip ip;
};

union any_address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	struct sockaddr_un un;
	struct sockaddr_storage storage;
};

/* What to do about it, where that is not plain. */
static const char *
hint(int error)
{
	if (error == EACCES)
		return " (ports below 1024 need root or CAP_NET_BIND_SERVICE)";
	if (error == EADDRINUSE)
		return " (another server is there)";
	return "";
}

static bool
cannot_listen(const char *where, int error)
{
	log_error(
	    "cannot listen on %s: %s%s", where, strerror(error), hint(error));
	return false;
}

static bool
keep(struct listener *listener, int socket)
{
	if (listener->count == LISTEN_MAX) {
		log_error(
		    "too many sockets to listen on (%d at most)", LISTEN_MAX);
		return false;
	}
	listener->sockets[listener->count++] = socket;
	return true;
}

/* The address of a socket as text; its port, 0 where it has none. */
static unsigned
describe(
    const union any_address *address, struct ip *ip, char *text, size_t size)
{
	char host[NETWORK_TEXT_MAX];
	unsigned port;
	bool brackets = address->any.sa_family == AF_INET6;

	if (address->any.sa_family == AF_INET) {
		memset(ip->octets, 0, 10);
		memset(ip->octets + 10, 0xff, 2);
		memcpy(ip->octets + 12, &address->in.sin_addr, 4);
		port = ntohs(address->in.sin_port);
	} else if (address->any.sa_family == AF_INET6) {
		memcpy(ip->octets, &address->in6.sin6_addr, 16);
		port = ntohs(address->in6.sin6_port);
	} else {
		(void)snprintf(text, size, "unix:%.*s",
		    (int)sizeof address->un.sun_path, address->un.sun_path);
		return 0;
	}
	ip_format(ip, host);
	(void)snprintf(text, size, brackets ? "[%s]:%u" : "%s:%u", host, port);
	return port;
}

static unsigned
log_listening(int socket)
{
	union any_address address = {0};
	socklen_t size = sizeof address;
	struct ip ip;
	char text[160] = "?";
	unsigned port = 0;

	if (getsockname(socket, &address.any, &size) == 0)
		port = describe(&address, &ip, text, sizeof text);
	log_say("listening on %s", text);
	return port;
}

/* A socket file that nobody listens on is left over from a crash. */
static void
remove_stale(const struct sockaddr_un *address)
{
	int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (probe < 0)
		return;
	if (connect(probe, (const struct sockaddr *)address, sizeof *address) !=
		0 &&
	    errno == ECONNREFUSED)
		(void)unlink(address->sun_path); /* bind() will tell */
	(void)close(probe);
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
	(void)log_listening(fd);
	return keep(listener, fd);
}

/* Splits HOST:PORT; host is empty for ":PORT". */
static bool
split(const char *address, char host[256], const char **port)
{
	const char *colon = strrchr(address, ':');
	size_t length = colon ? (size_t)(colon - address) : 0;

	if (!colon || colon[1] == '\0' || length >= 256)
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
		union any_address wanted = {0};
		char text[160];
		struct ip ip;
		int fd;

		if (port)
			set_port(info, port);
		fd = open_one(info);
		if (fd >= 0) {
			if (!keep(listener, fd))
				return false;
			opened++;
			port = log_listening(fd);
			continue;
		}
		error = errno;
		if (error == EAFNOSUPPORT || error == EADDRNOTAVAIL)
			continue;
		memcpy(&wanted, info->ai_addr, info->ai_addrlen);
		(void)describe(&wanted, &ip, text, sizeof text);
		return cannot_listen(text, error);
	}
	return opened > 0 || cannot_listen(address, error);
}

bool
listen_open(struct listener *listener, const char *address, bool *usage)
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

	*usage = false;
	if (strncmp(address, "unix:", 5) == 0 && address[5] != '\0')
		return open_unix(listener, address);
	if (!split(address, host, &port)) {
		*usage = true;
		return false;
	}
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
	if (!keep(listener, socket))
		return false;
	(void)log_listening(socket);
	return true;
}

/* The table of sessions: as many rows as connections may be. */
struct table {
	struct child *children;
	int count;
};

/* Takes note of the sessions that have ended. */
static void
reap(struct table *table)
{
	pid_t pid;

	while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
		for (int i = 0; i < table->count; i++)
			if (table->children[i].pid == pid)
				table->children[i] =
				    table->children[--table->count];
}

static void
tell_all(const struct table *table, int signal)
{
	for (int i = 0; i < table->count; i++)
		(void)kill(table->children[i].pid, signal); /* or it is gone */
}

/* Tells a client why it is not served; it has no time to wait for. */
static void
turn_away(int client, const char *reply)
{
	char line[REPLY_LINE_MAX];
	int n = snprintf(line, sizeof line, "%s\r\n", reply);

	(void)send(client, line, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL);
	(void)shutdown(client, SHUT_WR); /* the reply before a reset */
	(void)close(client);
}

/* NULL if a client at this address may have one more connection. */
static const char *
objection(const struct listener *listener, const struct table *table,
    const struct child *client)
{
	int same = 0;

	if (table->count >= listener->concurrency)
		return REPLY_BUSY;
	for (int i = 0; listener->per_client && i < table->count; i++)
		if (client->known && table->children[i].known &&
		    memcmp(&table->children[i].ip, &client->ip,
			sizeof client->ip) == 0)
			same++;
	return listener->per_client && same >= listener->per_client
		   ? REPLY_BUSY_CLIENT
		   : NULL;
}

static void
log_turned_away(const char *peer, const char *reply)
{
	struct log_line line;

	log_begin(&line, "turned-away");
	log_text(&line, "peer", peer, strlen(peer));
	log_text(&line, "reply", reply, strlen(reply));
	log_write(&line);
}

/* Accepts one connection; its descriptor in the process forked for it. */
static int
accept_one(struct listener *listener, struct table *table, int socket)
{
	union any_address address = {0};
	socklen_t size = sizeof address;
	struct child child = {0};
	char text[160];
	const char *reply;
	int client = accept4(socket, &address.any, &size, SOCK_CLOEXEC);

	if (client < 0) {
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
		    errno == ENOMEM) {
			log_error("cannot accept: %s", strerror(errno));
			(void)signals_wait(NULL, 0, 100);
		}
		return -1;
	}
	child.known = address.any.sa_family != AF_UNIX;
	(void)describe(&address, &child.ip, text, sizeof text);
	reply = objection(listener, table, &child);
	if (!reply) {
		child.pid = fork();
		if (child.pid == 0)
			return client;
		if (child.pid > 0)
			table->children[table->count++] = child;
		else
			log_error("cannot fork: %s", strerror(errno));
		reply = child.pid < 0 ? REPLY_BROKEN : NULL;
	}
	if (reply) {
		log_turned_away(text, reply);
		turn_away(client, reply);
	} else {
		(void)close(client); /* the child has it */
	}
	return -1;
}

static void
close_sockets(struct listener *listener)
{
	for (size_t i = 0; i < listener->count; i++)
		(void)close(listener->sockets[i]); /* nothing is in them */
}

/* Accepts until told to stop; the descriptor in a child, else -1. */
static int
accept_all(struct listener *listener, struct table *table)
{
	struct pollfd polled[LISTEN_MAX];

	for (size_t i = 0; i < listener->count; i++)
		polled[i] = (struct pollfd){
		    .fd = listener->sockets[i],
		    .events = POLLIN,
		};
	while (!signals_stops()) {
		int ready = signals_wait(polled, listener->count, -1);

		reap(table);
		for (size_t i = 0; ready > 0 && i < listener->count; i++) {
			int client =
			    polled[i].revents
				? accept_one(listener, table, polled[i].fd)
				: -1;

			if (client >= 0)
				return client;
		}
	}
	return -1;
}

int
listen_run(struct listener *listener)
{
	struct table table = {
	    .children =
		calloc((size_t)listener->concurrency, sizeof *table.children),
	};
	int client, told = 0;

	if (!table.children) {
		log_error("cannot hold %d connections: %s",
		    listener->concurrency, strerror(errno));
		return -1;
	}
	signals_begin();
	/* Two listeners on one socket may see one connection. */
	for (size_t i = 0; i < listener->count; i++)
		(void)fcntl(listener->sockets[i], F_SETFL, O_NONBLOCK);
	client = accept_all(listener, &table);
	close_sockets(listener);
	if (client >= 0)
		return client;
	for (reap(&table); table.count > 0; reap(&table)) {
		for (; told < signals_stops(); told++)
			tell_all(&table, SIGTERM);
		(void)signals_wait(NULL, 0, -1);
	}
	return -1;
}
