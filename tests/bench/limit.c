/* The least that an SMTP server with a process for each connection can do: a
 * yardstick for make bench, and no mail server.
 *
 *	limit PROGRAM		a session on standard input and output
 *	limit PROGRAM PORT	listens at 127.0.0.1 and forks for each session
 *	limit -w PROGRAM [PORT]	the same, by two processes
 *
 * Of a command it reads the first letter. A message is kept in memory, as it
 * came but for the dots. Once it is whole, PROGRAM is started with it on a
 * pipe, and 250 is said if that exits 0. Its system calls are those of the
 * programs that the goals were set by; another call less makes it another
 * yardstick.
 *
 * With -w it has smtpd's wall, and nothing else of it: what it costs alone. A
 * process that may read and write (strict seccomp) has the client; the other
 * has greeted it, and runs PROGRAM when it is told that a message, of 1 MiB at
 * most, lies in the memory that both have. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

enum {
	PIPE = 65536, /* what a pipe holds, if nothing is said */
	LARGE_PIPE = 1 << 20,
	SHARED = 1 << 20,
	LINE_MAX_OCTETS = 4096,
};

static struct {
	const char *program;
	bool walled;
	int in, out, channel; /* to the other process */
	char *message;
	size_t length, room;
	char input[65536], replies[65536];
	size_t received, unsent;
	bool in_data, line_begins;
} self;

/* By the call that strict seccomp lets through. */
_Noreturn static void
end(void)
{
	for (;;)
		(void)syscall(SYS_exit, EX_OK);
}

static void
put(int file, const char *octets, size_t length)
{
	while (length > 0) {
		ssize_t n = write(file, octets, length);

		if (n < 0)
			_exit(EX_IOERR);
		octets += n;
		length -= (size_t)n;
	}
}

static void
flush(void)
{
	put(self.out, self.replies, self.unsent);
	self.unsent = 0;
}

static void
reply(const char *line)
{
	size_t length = strlen(line);

	if (self.unsent + length > sizeof self.replies)
		flush();
	memcpy(self.replies + self.unsent, line, length);
	self.unsent += length;
}

/* Twice as much each time, for the kernel to move. */
static void
grow(size_t least)
{
	size_t room = self.room > 0 ? self.room : PIPE;

	while (room < least)
		room *= 2;
	if (self.room == 0)
		self.message = mmap(NULL, room, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	else
		self.message =
		    mremap(self.message, self.room, room, MREMAP_MAYMOVE);
	if (self.message == MAP_FAILED)
		_exit(EX_OSERR);
	self.room = room;
}

static void
keep(const char *octets, size_t length)
{
	if (self.walled && self.length + length > SHARED)
		_exit(EX_DATAERR);
	if (!self.walled && self.length + length > self.room)
		grow(self.length + length);
	memcpy(self.message + self.length, octets, length);
	self.length += length;
}

static void
run_program(int input)
{
	char *const arguments[] = {(char *)self.program, NULL};
	char *const nothing[] = {NULL};

	if (dup2(input, 0) == 0)
		(void)execve(self.program, arguments, nothing);
	_exit(127);
}

/* What the pipe holds is written before there is anyone to wake up. */
static bool
deliver(void)
{
	bool large = self.length > PIPE;
	int ends[2], status;
	pid_t child;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return false;
	if (large)
		(void)fcntl(ends[1], F_SETPIPE_SZ, LARGE_PIPE); /* or slower */
	else {
		put(ends[1], self.message, self.length);
		(void)close(ends[1]);
	}
	child = vfork();
	if (child == 0)
		run_program(ends[0]);
	(void)close(ends[0]);
	if (large) {
		put(ends[1], self.message, self.length);
		(void)close(ends[1]);
	}
	return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

/* The other process delivers, and says whether it did. */
static bool
hand_over(void)
{
	char done = 0;

	put(self.channel, (const char *)&self.length, sizeof self.length);
	return read(self.channel, &done, 1) == 1 && done;
}

/* One command line, without a look at more than its first letter. */
static void
command(char letter)
{
	switch (letter | 32) {
	case 'd':
		reply("354 go\r\n");
		self.in_data = self.line_begins = true;
		self.length = 0;
		break;
	case 'q':
		reply("221 bye\r\n");
		flush();
		end();
	default:
		reply("250 ok\r\n");
	}
}

/* Keeps content up to a dot that begins a line; where it ends. */
static const char *
content(const char *from, const char *end)
{
	const char *at = from;

	do {
		at = memchr(at, '\n', (size_t)(end - at));
		at = at ? at + 1 : end;
	} while (at < end && *at != '.');
	self.line_begins = at[-1] == '\n';
	keep(from, (size_t)(at - from));
	return at;
}

/* Takes a line, the final dot or content; how far, or NULL: more is needed. */
static const char *
take(const char *at, const char *end)
{
	if (!self.in_data) {
		const char *line_end = memchr(at, '\n', (size_t)(end - at));

		if (!line_end)
			return NULL;
		command(*at);
		return line_end + 1;
	}
	if (self.line_begins && *at == '.') {
		if (end - at < 3)
			return NULL;
		if (at[1] == '\r' && at[2] == '\n') {
			self.in_data = false;
			reply((self.walled ? hand_over() : deliver())
				  ? "250 accepted\r\n"
				  : "451 failed\r\n");
			return at + 3;
		}
		at++;
	}
	return content(at, end);
}

static void
serve(void)
{
	ssize_t n;

	for (;;) {
		const char *at = self.input, *next, *last;

		flush();
		n = read(self.in, self.input + self.received,
		    sizeof self.input - self.received);
		if (n <= 0)
			end();
		last = self.input + self.received + n;
		while (at < last && (next = take(at, last)))
			at = next;
		self.received = (size_t)(last - at);
		if (self.received > LINE_MAX_OCTETS)
			_exit(EX_PROTOCOL);
		memmove(self.input, at, self.received);
	}
}

/* Delivers for the process that talks, until it ends. */
static void
serve_other(void)
{
	while (read(self.channel, &self.length, sizeof self.length) > 0) {
		char done = self.length <= SHARED && deliver();

		put(self.channel, &done, 1);
	}
	(void)wait(NULL);
	_exit(EX_OK);
}

static void
session_of_two(void)
{
	int ends[2];

	self.message = mmap(NULL, SHARED, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	flush();
	if (self.message == MAP_FAILED ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
		_exit(EX_OSERR);
	if (fork() > 0) {
		(void)close(ends[1]);
		self.channel = ends[0];
		serve_other();
	}
	(void)close(ends[0]);
	self.channel = ends[1];
	if (prctl(PR_SET_SECCOMP, 1 /* strict */) != 0)
		_exit(EX_OSERR);
	serve();
}

static void
session(int in, int out)
{
	self.in = in;
	self.out = out;
	(void)signal(SIGPIPE, SIG_IGN);
	reply("220 limit ESMTP\r\n");
	if (self.walled)
		session_of_two();
	serve();
}

static void
reap(int signal)
{
	(void)signal;
	while (waitpid(-1, NULL, WNOHANG) > 0)
		continue;
}

static void
listen_at(int port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
	    .sin_port = htons((in_port_t)port),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)setsockopt(
	    listener, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
	if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0 ||
	    listen(listener, 512) != 0)
		_exit(EX_OSERR);
	(void)signal(SIGCHLD, reap);
	for (;;) {
		int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

		if (client >= 0 && fork() == 0) {
			(void)signal(SIGCHLD, SIG_DFL);
			(void)close(listener);
			session(client, client);
		}
		if (client >= 0)
			(void)close(client);
	}
}

int
main(int argc, char **argv)
{
	self.walled = argc > 1 && strcmp(argv[1], "-w") == 0;
	argv += self.walled;
	argc -= self.walled;
	if (argc < 2 || argc > 3)
		return EX_USAGE;
	self.program = argv[1];
	if (argc == 3)
		listen_at(atoi(argv[2]));
	session(0, 1);
}
