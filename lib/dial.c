#include "dial.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "number.h"
#include "text.h"

/* Milliseconds for one address, so that a dead one leaves time for others. */
#define CONNECT_MAX 30000

/* A port that getaddrinfo(3) reads as it is meant. */
static bool
is_port(const char *port)
{
	uint64_t number;

	if (text_is_letter(*port))
		return strlen(port) < sizeof((struct dial *)NULL)->port;
	return number_parse(port, strlen(port), 65535, &number) && number > 0;
}

static bool
parse_unix(struct dial *dial, const char *path)
{
	dial->kind = DIAL_UNIX;
	dial->path.sun_family = AF_UNIX;
	if (!*path || strlen(path) >= sizeof dial->path.sun_path)
		return false;
	strcpy(dial->path.sun_path, path);
	return true;
}

/* Behind the host: nothing, or a colon and a port. */
static bool
parse_port(struct dial *dial, const char *rest, const char *port)
{
	if (*rest == ':')
		port = rest + 1;
	else if (*rest)
		return false;
	if (!port || !is_port(port))
		return false;
	strcpy(dial->port, port);
	return true;
}

bool
dial_parse(struct dial *dial, const char *place, const char *port)
{
	bool brackets = *place == '[';
	size_t length;

	dial->in = dial->out = -1;
	if (strncmp(place, "unix:", 5) == 0)
		return parse_unix(dial, place + 5);
	if (strcmp(place, "-") == 0) {
		dial->kind = DIAL_UCSPI;
		return true;
	}
	place += brackets ? 1 : 0;
	length = strcspn(place, brackets ? "]" : ":");
	if (length == 0 || length >= sizeof dial->host ||
	    (brackets && place[length] != ']'))
		return false;
	memcpy(dial->host, place, length);
	dial->host[length] = '\0';
	return parse_port(dial, place + length + (brackets ? 1 : 0), port);
}

static void
set_trouble(struct dial *dial, const char *where, const char *why)
{
	(void)snprintf(dial->trouble, sizeof dial->trouble, "%s: %s", where,
	    why); /* cut to fit */
}

static bool
is_loopback(const struct sockaddr *address, socklen_t size)
{
	static const unsigned char six[16] = {[15] = 1};
	union socket_address copy = {0};
	struct ip ip;
	unsigned port;

	memcpy(&copy, address, size < sizeof copy ? size : sizeof copy);
	if (!socket_ip(&copy, &ip, &port))
		return copy.any.sa_family == AF_UNIX;
	return memcmp(ip.octets, six, sizeof six) == 0 ||
	       (memcmp(ip.octets, "\0\0\0\0\0\0\0\0\0\0\377\377", 12) == 0 &&
		   ip.octets[12] == 127);
}

/* Waits until a connection that has begun is there; 0 or an errno. */
static int
wait_connected(int fd, int64_t deadline)
{
	struct pollfd polled = {.fd = fd, .events = POLLOUT};
	int error = 0, found;
	socklen_t size = sizeof error;

	do {
		int64_t left = deadline - clock_now();

		if (left > CONNECT_MAX)
			left = CONNECT_MAX;
		found = poll(&polled, 1, left > 0 ? (int)left : 0);
	} while (found < 0 && errno == EINTR);
	if (found == 0)
		return ETIMEDOUT;
	if (found < 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
		return errno;
	return error;
}

/* A connection to one address; false with dial->trouble. */
static bool
connect_to(struct dial *dial, const struct sockaddr *address, socklen_t size,
    int64_t deadline)
{
	union socket_address copy = {0};
	char text[SOCKET_TEXT_MAX];
	int error = 0;
	int fd = socket(
	    address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		error = errno;
	else if (connect(fd, address, size) != 0)
		error = errno == EINPROGRESS || errno == EINTR
			    ? wait_connected(fd, deadline)
			    : errno;
	if (error == 0) {
		/* All that is to be said at once is written at once; on a Unix
		 * socket this fails, and nothing waits there. */
		(void)setsockopt(
		    fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
		dial->in = dial->out = fd;
		dial->local = is_loopback(address, size);
		return true;
	}
	if (fd >= 0)
		(void)close(fd); /* nothing was written to it */
	memcpy(&copy, address, size < sizeof copy ? size : sizeof copy);
	socket_text(&copy, text);
	set_trouble(dial, text, strerror(error));
	return false;
}

/* True if the host is an address and the port a number: nobody is asked, and
 * nothing allocated. */
static bool
is_literal(struct dial *dial)
{
	union socket_address *address = &dial->address;
	struct addrinfo *literal = &dial->literal;
	size_t length = strlen(dial->host);
	uint64_t port;
	struct ip ip;

	if (!number_parse(dial->port, strlen(dial->port), 65535, &port))
		return false;
	if (ip_read_v4(dial->host, length, &ip)) {
		address->in.sin_family = AF_INET;
		address->in.sin_port = htons((in_port_t)port);
		memcpy(&address->in.sin_addr, ip.octets + 12, 4);
		literal->ai_addrlen = sizeof address->in;
	} else if (ip_read_v6(dial->host, length, &ip)) {
		address->in6.sin6_family = AF_INET6;
		address->in6.sin6_port = htons((in_port_t)port);
		memcpy(&address->in6.sin6_addr, ip.octets, 16);
		literal->ai_addrlen = sizeof address->in6;
	} else {
		return false;
	}
	literal->ai_addr = &address->any;
	dial->next = literal;
	return true;
}

static bool
look_up(struct dial *dial)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	int error;

	if (is_literal(dial))
		return true;
	error = getaddrinfo(dial->host, dial->port, &hints, &dial->list);
	if (error == 0) {
		dial->next = dial->list;
		return true;
	}
	dial->list = NULL;
	set_trouble(dial, dial->host,
	    error == EAI_SYSTEM ? strerror(errno) : gai_strerror(error));
	return false;
}

/* Takes a launcher's descriptors, which it may have left blocking. */
static bool
take_ucspi(struct dial *dial)
{
	static const int ends[] = {DIAL_UCSPI_IN, DIAL_UCSPI_OUT};

	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
		int flags = fcntl(ends[i], F_GETFL);

		if (flags < 0 ||
		    fcntl(ends[i], F_SETFL, flags | O_NONBLOCK) < 0 ||
		    fcntl(ends[i], F_SETFD, FD_CLOEXEC) < 0) {
			(void)snprintf(dial->trouble, sizeof dial->trouble,
			    "descriptor %d: %s", ends[i], strerror(errno));
			return false;
		}
	}
	dial->in = DIAL_UCSPI_IN;
	dial->out = DIAL_UCSPI_OUT;
	dial->local = true;
	return true;
}

bool
dial_next(struct dial *dial, int64_t deadline)
{
	bool first = !dial->begun;

	dial->begun = true;
	if (dial->kind == DIAL_UCSPI)
		return first && take_ucspi(dial);
	if (dial->kind == DIAL_UNIX)
		return first && connect_to(dial, (struct sockaddr *)&dial->path,
				    sizeof dial->path, deadline);
	if (first && !look_up(dial))
		return false;
	while (dial->next) {
		struct addrinfo *info = dial->next;

		dial->next = info->ai_next;
		if (connect_to(dial, info->ai_addr, info->ai_addrlen, deadline))
			return true;
	}
	return false;
}

bool
dial_more(const struct dial *dial)
{
	return dial->next != NULL;
}

void
dial_close(struct dial *dial)
{
	if (dial->in >= 0)
		(void)close(dial->in); /* what was written has its answer, or
					* is in doubt anyway */
	if (dial->out >= 0 && dial->out != dial->in)
		(void)close(dial->out);
	dial->in = dial->out = -1;
}

void
dial_end(struct dial *dial)
{
	if (dial->list)
		freeaddrinfo(dial->list);
	dial->list = dial->next = NULL;
}
