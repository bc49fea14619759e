/* A preload that makes the n-th call of a function fail, once or from then on.
 *
 *	LD_PRELOAD=faults.so FAULTS=file FAULT=role,function,n,errno[,on]
 *
 * A role is a program and how many forks it is from its beginning: smtpd.0 is
 * the agent, smtpd.1 its dialogue, smtpd-maildir.1 a worker; with -l smtpd.0
 * is the listener. Other programs are let be. Calls are counted in each
 *process, from its fork on. An errno of "short" is a call that does less than
 *it was asked for. What was called, and whether the fault has come, is in the
 *file, which all processes share: struct report. The dialogue, which may make
 *no system call for this, has it mapped before its sandbox.
 *
 * What happens on the SOCK_SEQPACKET channels between processes has names of
 * its own, hear and tell: other errors are possible there. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROLES 16
#define ROLE_OCTETS 32
#define MOST 96

/* name, type, parameters, arguments, what it returns where it fails. */
#define FUNCTIONS(X) \
	X(accept4, int, \
	    (int fd, struct sockaddr *to, socklen_t *size, int flags), \
	    (fd, to, size, flags), -1) \
	X(bind, int, (int fd, const struct sockaddr *to, socklen_t size), \
	    (fd, to, size), -1) \
	X(connect, int, (int fd, const struct sockaddr *to, socklen_t size), \
	    (fd, to, size), -1) \
	X(dup2, int, (int from, int to), (from, to), -1) \
	X(execve, int, \
	    (const char *path, char *const arguments[], \
		char *const environment[]), \
	    (path, arguments, environment), -1) \
	X(faccessat, int, (int at, const char *path, int mode, int flags), \
	    (at, path, mode, flags), -1) \
	X(fstat, int, (int fd, struct stat *about), (fd, about), -1) \
	X(fstatat, int, \
	    (int at, const char *path, struct stat *about, int flags), \
	    (at, path, about, flags), -1) \
	X(fsync, int, (int fd), (fd), -1) \
	X(getpeername, int, (int fd, struct sockaddr *to, socklen_t *size), \
	    (fd, to, size), -1) \
	X(getsockname, int, (int fd, struct sockaddr *to, socklen_t *size), \
	    (fd, to, size), -1) \
	X(getsockopt, int, \
	    (int fd, int level, int name, void *to, socklen_t *size), \
	    (fd, level, name, to, size), -1) \
	X(linkat, int, \
	    (int at, const char *from, int to_at, const char *to, int flags), \
	    (at, from, to_at, to, flags), -1) \
	X(listen, int, (int fd, int count), (fd, count), -1) \
	X(lseek, off_t, (int fd, off_t at, int from), (fd, at, from), -1) \
	X(madvise, int, (void *at, size_t size, int advice), \
	    (at, size, advice), -1) \
	X(mkdirat, int, (int at, const char *path, mode_t mode), \
	    (at, path, mode), -1) \
	X(mkostemp, int, (char *path, int flags), (path, flags), -1) \
	X(mmap, void *, \
	    (void *at, size_t size, int allowed, int flags, int fd, \
		off_t offset), \
	    (at, size, allowed, flags, fd, offset), MAP_FAILED) \
	X(pipe2, int, (int ends[2], int flags), (ends, flags), -1) \
	X(poll, int, (struct pollfd * polled, nfds_t count, int wait), \
	    (polled, count, wait), -1) \
	X(ppoll, int, \
	    (struct pollfd * polled, nfds_t count, \
		const struct timespec *wait, const sigset_t *mask), \
	    (polled, count, wait, mask), -1) \
	X(readlink, ssize_t, (const char *path, char *to, size_t size), \
	    (path, to, size), -1) \
	X(renameat, int, \
	    (int at, const char *from, int to_at, const char *to), \
	    (at, from, to_at, to), -1) \
	X(setgroups, int, (size_t count, const gid_t *groups), \
	    (count, groups), -1) \
	X(setitimer, int, \
	    (__itimer_which_t which, const struct itimerval *from, \
		struct itimerval *to), \
	    (which, from, to), -1) \
	X(setpgid, int, (pid_t pid, pid_t group), (pid, group), -1) \
	X(setresgid, int, (gid_t real, gid_t effective, gid_t saved), \
	    (real, effective, saved), -1) \
	X(setresuid, int, (uid_t real, uid_t effective, uid_t saved), \
	    (real, effective, saved), -1) \
	X(setsockopt, int, \
	    (int fd, int level, int name, const void *from, socklen_t size), \
	    (fd, level, name, from, size), -1) \
	X(shutdown, int, (int fd, int how), (fd, how), -1) \
	X(sigaltstack, int, (const stack_t *from, stack_t *to), (from, to), \
	    -1) \
	X(socket, int, (int domain, int type, int protocol), \
	    (domain, type, protocol), -1) \
	X(stat, int, (const char *path, struct stat *about), (path, about), \
	    -1) \
	X(unlink, int, (const char *path), (path), -1) \
	X(unlinkat, int, (int at, const char *path, int flags), \
	    (at, path, flags), -1) \
	X(waitpid, pid_t, (pid_t pid, int *status, int flags), \
	    (pid, status, flags), -1)

/* Those that are not as the others: see below. */
#define OTHERS(X) \
	X(calloc) \
	X(close_range) \
	X(fcntl) \
	X(fork) \
	X(getpwnam) \
	X(hear) \
	X(initgroups) \
	X(malloc) \
	X(open) \
	X(openat) \
	X(pread) \
	X(prctl) \
	X(read) \
	X(realloc) \
	X(send) \
	X(socketpair) \
	X(splice) \
	X(tell) \
	X(vfork) \
	X(write)

#define NUMBER(name, ...) F_##name,
#define NAME(name, ...) #name,
enum function { FUNCTIONS(NUMBER) OTHERS(NUMBER) COUNT };
static const char *const names[] = {FUNCTIONS(NAME) OTHERS(NAME)};

/* The most calls that a process of a role has made, by the order of names,
 * which the file has behind them. */
struct report {
	uint32_t fired;
	uint32_t functions;
	struct {
		char role[ROLE_OCTETS];
		uint32_t calls[MOST];
	} roles[ROLES];
	char names[MOST][16];
};

static struct report *report;
static struct {
	char role[ROLE_OCTETS];
	unsigned function, n;
	int error;
	bool on;
} fault = {.function = COUNT};

/* This process. What the C library calls while it looks up users, and does not
 * survive at each place, is not counted. */
static int forks, role = -1, inside;
static uint32_t calls[COUNT];
static char channels[1024]; /* descriptors of channels, as they were made */

#define POINTER(name, ...) static __typeof__(name) *real_##name;
FUNCTIONS(POINTER)
POINTER(fcntl)
POINTER(fork)
POINTER(getpwnam)
POINTER(initgroups)
POINTER(open)
POINTER(openat)
POINTER(prctl)
POINTER(pread)
POINTER(read)
POINTER(send)
POINTER(socketpair)
POINTER(splice)
POINTER(syscall)
static pid_t (*real_vfork)(void);
POINTER(write)

/* The C library's, for before the others are known. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *at, size_t size);

static void
find_role(void)
{
	char name[ROLE_OCTETS] = "";

	(void)snprintf(
	    name, sizeof name, "%s.%d", program_invocation_short_name, forks);
	memset(calls, 0, sizeof calls);
	role = -1;
	for (int i = 0; i < ROLES && role < 0; i++) {
		if (!report->roles[i].role[0])
			memcpy(report->roles[i].role, name, sizeof name);
		if (strcmp(report->roles[i].role, name) == 0)
			role = i;
	}
}

static void
read_fault(const char *text)
{
	char function[16] = "", error[16] = "", on[4] = "";
	static const struct {
		const char *name;
		int number;
	} errors[] = {
	    {"short", 0},
	    {"EACCES", EACCES},
	    {"EAGAIN", EAGAIN},
	    {"EBADF", EBADF},
	    {"ECONNABORTED", ECONNABORTED},
	    {"ECONNREFUSED", ECONNREFUSED},
	    {"ECONNRESET", ECONNRESET},
	    {"EDQUOT", EDQUOT},
	    {"EEXIST", EEXIST},
	    {"EINTR", EINTR},
	    {"EINVAL", EINVAL},
	    {"EIO", EIO},
	    {"EMFILE", EMFILE},
	    {"ENFILE", ENFILE},
	    {"ENOBUFS", ENOBUFS},
	    {"ENOENT", ENOENT},
	    {"ENOMEM", ENOMEM},
	    {"ENOSPC", ENOSPC},
	    {"ENOSYS", ENOSYS},
	    {"ENOTCONN", ENOTCONN},
	    {"EOPNOTSUPP", EOPNOTSUPP},
	    {"EPERM", EPERM},
	    {"EPIPE", EPIPE},
	    {"EROFS", EROFS},
	    {"ETIMEDOUT", ETIMEDOUT},
	    {"ETXTBSY", ETXTBSY},
	};

	fault.error = -1;
	if (sscanf(text, "%31[^,],%15[^,],%u,%15[^,],%3s", fault.role, function,
		&fault.n, error, on) < 4)
		abort();
	for (unsigned i = 0; i < COUNT; i++)
		if (strcmp(names[i], function) == 0)
			fault.function = i;
	for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
		if (strcmp(errors[i].name, error) == 0)
			fault.error = errors[i].number;
	fault.on = strcmp(on, "on") == 0;
	if (fault.function == COUNT || fault.error < 0)
		abort();
}

static void *
find(const char *name)
{
	void *found = dlsym(RTLD_NEXT, name);

	if (!found)
		abort();
	return found;
}

__attribute__((constructor)) static void
begin(void)
{
	const char *path = getenv("FAULTS"), *text = getenv("FAULT");
	int file;

#define FIND(name, ...) *(void **)&real_##name = find(#name);
	FUNCTIONS(FIND)
	FIND(fcntl)
	FIND(fork)
	FIND(getpwnam)
	FIND(initgroups)
	FIND(open)
	FIND(openat)
	FIND(prctl)
	FIND(pread)
	FIND(read)
	FIND(send)
	FIND(socketpair)
	FIND(splice)
	FIND(syscall)
	FIND(vfork)
	FIND(write)
	if (!path || strncmp(program_invocation_short_name, "smtpd", 5) != 0)
		return;
	file = real_open(path, O_RDWR | O_CLOEXEC);
	if (file < 0)
		abort();
	report = real_mmap(
	    NULL, sizeof *report, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	if (report == MAP_FAILED)
		abort();
	(void)close(file);
	report->functions = COUNT;
	for (int i = 0; i < COUNT; i++)
		strcpy(report->names[i], names[i]);
	if (text && *text)
		read_fault(text);
	find_role();
}

/* Counts a call; true if it is to fail, with errno (0: to do less). */
static bool
fails(enum function function)
{
	uint32_t n;

	if (role < 0 || inside > 0)
		return false;
	n = ++calls[function];
	if (n > report->roles[role].calls[function])
		report->roles[role].calls[function] = n;
	if (function != fault.function || n < fault.n ||
	    (n > fault.n && !fault.on) ||
	    strcmp(fault.role, report->roles[role].role) != 0)
		return false;
	/* The first process of several that gets so far. */
	if (n == fault.n &&
	    __atomic_exchange_n(&report->fired, 1, __ATOMIC_SEQ_CST))
		return false;
	errno = fault.error;
	return true;
}

/* Those functions that are all alike. */
#define SAME(name, type, parameters, arguments, failure) \
	type name parameters \
	{ \
		if (fails(F_##name)) \
			return failure; \
		return real_##name arguments; \
	}
FUNCTIONS(SAME)

/* Before the others are known there is no role, either. */
void *
malloc(size_t size)
{
	return fails(F_malloc) ? NULL : __libc_malloc(size);
}

void *
calloc(size_t count, size_t size)
{
	return fails(F_calloc) ? NULL : __libc_calloc(count, size);
}

void *
realloc(void *at, size_t size)
{
	return fails(F_realloc) ? NULL : __libc_realloc(at, size);
}

pid_t
fork(void)
{
	pid_t pid = fails(F_fork) ? -1 : real_fork();

	if (pid == 0 && report) {
		forks++;
		find_role();
	}
	return pid;
}

/* The users user0 to user9, whose homes are in $HOMES. */
static struct passwd *
own_user(const char *name)
{
	static struct passwd user;
	static char home[4096];
	const char *homes = getenv("HOMES");

	if (!homes || strncmp(name, "user", 4) != 0)
		return NULL;
	user.pw_name = (char *)name;
	user.pw_uid = user.pw_gid = (uid_t)(20000 + name[4] - '0');
	(void)snprintf(home, sizeof home, "%s/%s", homes, name);
	user.pw_dir = home;
	return &user;
}

struct passwd *
getpwnam(const char *name)
{
	struct passwd *user = own_user(name);

	if (fails(F_getpwnam))
		return NULL;
	inside++;
	if (!user)
		user = real_getpwnam(name);
	inside--;
	return user;
}

int
initgroups(const char *name, gid_t gid)
{
	int result;

	if (fails(F_initgroups))
		return -1;
	inside++;
	result = real_initgroups(name, gid);
	inside--;
	return result;
}

/* Those that may do less than they were asked for: half of it. */
static size_t
some(size_t size)
{
	return size > 1 ? size / 2 : size;
}

static bool
is_channel(int fd)
{
	return fd >= 0 && (size_t)fd < sizeof channels && channels[fd];
}

ssize_t
read(int fd, void *to, size_t size)
{
	if (!fails(is_channel(fd) ? F_hear : F_read))
		return real_read(fd, to, size);
	return errno ? -1 : real_read(fd, to, some(size));
}

ssize_t
pread(int fd, void *to, size_t size, off_t at)
{
	if (!fails(F_pread))
		return real_pread(fd, to, size, at);
	return errno ? -1 : real_pread(fd, to, some(size), at);
}

ssize_t
write(int fd, const void *from, size_t size)
{
	if (!fails(is_channel(fd) ? F_tell : F_write))
		return real_write(fd, from, size);
	return errno ? -1 : real_write(fd, from, some(size));
}

ssize_t
send(int fd, const void *from, size_t size, int flags)
{
	if (!fails(is_channel(fd) ? F_tell : F_send))
		return real_send(fd, from, size, flags);
	return errno ? -1 : real_send(fd, from, some(size), flags);
}

ssize_t
splice(
    int from, off64_t *at, int to, off64_t *to_at, size_t size, unsigned flags)
{
	if (!fails(F_splice))
		return real_splice(from, at, to, to_at, size, flags);
	return errno ? -1 : real_splice(from, at, to, to_at, some(size), flags);
}

int
socketpair(int domain, int type, int protocol, int ends[2])
{
	int result = fails(F_socketpair)
			 ? -1
			 : real_socketpair(domain, type, protocol, ends);

	for (int i = 0; result == 0 && i < 2; i++)
		if ((size_t)ends[i] < sizeof channels)
			channels[ends[i]] = (type & 0xf) == SOCK_SEQPACKET;
	return result;
}

/* A jump, which the compiler makes of a call that is the last thing: the child
 * returns, and its parent finds no frame of ours any more. */
pid_t
vfork(void)
{
	if (fails(F_vfork))
		return -1;
	return real_vfork();
}

/* Those that take what they take: it is passed on as it lies there. */
#define REST(last, what) \
	va_list rest; \
	va_start(rest, last); \
	unsigned long what = va_arg(rest, unsigned long); \
	va_end(rest)

int
open(const char *path, int flags, ...)
{
	REST(flags, mode);
	return fails(F_open) ? -1 : real_open(path, flags, (mode_t)mode);
}

int
openat(int at, const char *path, int flags, ...)
{
	REST(flags, mode);
	return fails(F_openat) ? -1
			       : real_openat(at, path, flags, (mode_t)mode);
}

int
fcntl(int fd, int what, ...)
{
	REST(what, argument);
	/* The others cannot fail on a descriptor that is open. */
	bool may =
	    what == F_DUPFD_CLOEXEC || what == F_SETPIPE_SZ || what == F_SETLKW;

	if (may && fails(F_fcntl))
		return -1;
	return real_fcntl(fd, what, argument);
}

int
prctl(int what, ...)
{
	unsigned long a[4];
	va_list rest;

	va_start(rest, what);
	for (int i = 0; i < 4; i++)
		a[i] = va_arg(rest, unsigned long);
	va_end(rest);
	return fails(F_prctl) ? -1 : real_prctl(what, a[0], a[1], a[2], a[3]);
}

long
syscall(long number, ...)
{
	unsigned long a[6];
	va_list rest;

	va_start(rest, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(rest, unsigned long);
	va_end(rest);
	if (number == SYS_close_range && fails(F_close_range))
		return -1;
	return real_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
