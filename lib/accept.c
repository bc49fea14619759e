#include "accept.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "log.h"
#include "process.h"
#include "reply.h"
#include "signals.h"
#include "socket.h"

/* A session that is running. */
struct child {
	pid_t pid;
	bool known; /* the client has an address */
	struct ip ip;
};

/* The table of sessions: as many rows as connections may be. */
struct table {
	const struct accept_limits *limits;
	struct child *children;
	int count;
};

/* Takes note of the sessions that have ended. */
static void
reap(struct table *table)
{
	pid_t pid;

	while ((pid = waitpid(-1, NULL, WNOHANG)) > 0 ||
	       (pid < 0 && errno == EINTR))
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
objection(const struct table *table, const struct child *client)
{
	const struct accept_limits *limits = table->limits;
	int same = 0;

	if (table->count >= limits->concurrency)
		return REPLY_BUSY;
	for (int i = 0; limits->per_client && i < table->count; i++)
		if (client->known && table->children[i].known &&
		    memcmp(&table->children[i].ip, &client->ip,
			sizeof client->ip) == 0)
			same++;
	return limits->per_client && same >= limits->per_client
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

/* Forks for a connection; NULL, or the reply to a client that is turned away.
 * In the child, *forked. */
static const char *
start_session(struct table *table, struct child *child, bool *forked)
{
	const char *reply = objection(table, child);

	if (reply)
		return reply;
	child->pid = fork();
	*forked = child->pid == 0;
	/* Out of reach of a terminal's ^C, which the listener passes on. */
	if (*forked)
		(void)setpgid(0, 0);
	if (child->pid > 0)
		table->children[table->count++] = *child;
	if (child->pid >= 0)
		return NULL;
	log_error("cannot fork: %s", strerror(errno));
	return REPLY_BROKEN;
}

/* Accepts one connection; its descriptor in the process forked for it. */
static int
accept_one(struct table *table, int socket)
{
	union socket_address address = {0};
	socklen_t size = sizeof address;
	struct child child = {0};
	char text[SOCKET_TEXT_MAX];
	const char *reply;
	unsigned port;
	bool forked = false;
	int client = accept4(socket, &address.any, &size, SOCK_CLOEXEC);

	if (client < 0) {
		/* Gone meanwhile, or taken by another listener; all else
		 * does not go away by trying again at once. */
		if (errno != EAGAIN && errno != EINTR &&
		    errno != ECONNABORTED) {
			log_error("cannot accept: %s", strerror(errno));
			(void)signals_wait(NULL, 0, 1000);
		}
		return -1;
	}
	child.known = socket_ip(&address, &child.ip, &port);
	reply = start_session(table, &child, &forked);
	if (forked)
		return client;
	if (reply) {
		socket_text(&address, text);
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
			int client = polled[i].revents
					 ? accept_one(table, polled[i].fd)
					 : -1;

			if (client >= 0)
				return client;
		}
	}
	return -1;
}

/* Waits for the sessions to end, telling them as often as it is told. From the
 * second time on it goes on telling: two signals may arrive as one. */
static void
wait_for_sessions(struct table *table)
{
	int told = 0;

	for (reap(table); table->count > 0; reap(table)) {
		bool again = signals_stops() > 1;

		if (again || told < signals_stops())
			tell_all(table, SIGTERM);
		told = signals_stops();
		(void)signals_wait(NULL, 0, again ? 200 : -1);
	}
}

bool
accept_run(
    struct listener *listener, const struct accept_limits *limits, int *client)
{
	struct table table = {
	    .limits = limits,
	    .children =
		calloc((size_t)limits->concurrency, sizeof *table.children),
	};

	if (!table.children) {
		log_error("cannot hold %d connections: %s", limits->concurrency,
		    strerror(errno));
		return false;
	}
	/* Whoever has read where we listen may tell us to stop. */
	signals_begin();
	process_prepare();
	listen_announce(listener);
	/* Two listeners on one socket may see one connection. */
	for (size_t i = 0; i < listener->count; i++)
		(void)fcntl(listener->sockets[i], F_SETFL, O_NONBLOCK);
	*client = accept_all(listener, &table);
	close_sockets(listener);
	if (*client < 0) {
		listen_remove(listener);
		wait_for_sessions(&table);
	}
	free(table.children);
	return true;
}
