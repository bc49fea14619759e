/* The least that can be done for the promises of smtpd-maildir(8), for one
 * recipient: a yardstick for make bench, and not for use.
 *
 *	cat message | maildir PATH
 *
 * The same two lines on top, the same file and name, the same two fsyncs, one
 * link that replaces nothing, the same signals held back, and nothing left
 * behind where something fails. No address is looked at, nothing is made, and
 * nobody is told why. It asks for the time and the mask by system calls, as
 * the vDSO and sigprocmask(3) are dearer in a process that short. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#define ENDINGS \
	(1UL << (SIGTERM - 1) | 1UL << (SIGINT - 1) | 1UL << (SIGHUP - 1))

enum { MOST = 1 << 20 };

static char octets[4096], path[4096], name[192], head[8192];

static char *
add_number(char *at, unsigned long number, int width)
{
	char digits[20];
	int i = sizeof digits;

	do
		digits[--i] = (char)('0' + number % 10);
	while ((number /= 10) > 0 || width > (int)sizeof digits - i);
	memcpy(at, digits + i, sizeof digits - (size_t)i);
	return at + sizeof digits - i;
}

static void
choose_name(void)
{
	struct timespec now;
	struct utsname host;
	char *at = name;

	(void)syscall(SYS_clock_gettime, CLOCK_REALTIME, &now);
	(void)uname(&host);
	at = add_number(at, (unsigned long)now.tv_sec, 1);
	at = add_number(stpcpy(at, ".M"), (unsigned long)now.tv_nsec / 1000, 6);
	at = add_number(stpcpy(at, "P"), (unsigned long)getpid(), 1);
	(void)stpcpy(stpcpy(at, "Q1."), host.nodename);
}

static int
open_sub(const char *folder, const char *sub)
{
	(void)stpcpy(
	    stpcpy(path, folder), sub); /* longer for new than for tmp */
	return open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Head and message; true if all of it came and is written. What is not in the
 * first page is not looked at. */
static int
copy(int file)
{
	const char *size = getenv("SMTP_SIZE"), *newline;
	size_t expected = size ? strtoul(size, NULL, 10) : 0, total;
	ssize_t n = read(0, octets, sizeof octets);
	struct iovec parts[] = {{head, 0}, {octets, n > 0 ? (size_t)n : 0}};
	char *at = head;

	newline = n > 0 ? memchr(octets, '\n', (size_t)n) : NULL;
	newline = newline > octets && newline[-1] == '\r' ? "\r\n" : "\n";
	at = stpcpy(stpcpy(at, "Return-Path: <"), getenv("SENDER"));
	at = stpcpy(stpcpy(stpcpy(at, ">"), newline), "Delivered-To: ");
	at = stpcpy(stpcpy(at, getenv("RECIPIENTS")), newline);
	parts[0].iov_len = (size_t)(at - head);
	if (n < 0 || writev(file, parts, 2) != n + (ssize_t)parts[0].iov_len)
		return 0;
	total = (size_t)n;
	while (n > 0 && (n = splice(0, NULL, file, NULL, MOST, 0)) > 0)
		total += (size_t)n;
	return n == 0 && total >= expected;
}

int
main(int argc, char **argv)
{
	unsigned long pending = ENDINGS;
	int tmp, new, file, moved = 0;

	(void)signal(SIGXFSZ, SIG_IGN);
	(void)syscall(SYS_rt_sigprocmask, SIG_BLOCK, &pending, NULL, 8);
	if (argc != 2 || !getenv("SENDER") || !getenv("RECIPIENTS"))
		return EX_USAGE;
	if ((tmp = open_sub(argv[1], "/tmp")) < 0 ||
	    (new = open_sub(argv[1], "/new")) < 0)
		return errno == ENOENT ? EX_NOUSER : EX_TEMPFAIL;
	choose_name();
	file = openat(tmp, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (file < 0)
		return EX_TEMPFAIL;
	if (copy(file) && fsync(file) == 0 && close(file) == 0 &&
	    syscall(SYS_rt_sigpending, &pending, 8) == 0 &&
	    !(pending & ENDINGS) && linkat(tmp, name, new, name, 0) == 0)
		moved = fsync(new) == 0 || unlinkat(new, name, 0) != 0;
	(void)unlinkat(tmp, name, 0);
	return moved ? EX_OK : EX_TEMPFAIL;
}
