#include "io.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

bool
io_write(int descriptor, const char *text, size_t length)
{
	while (length > 0) {
		ssize_t n = write(descriptor, text, length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		text += n;
		length -= (size_t)n;
	}
	return true;
}

bool
io_occupy(void)
{
	for (int i = 0; i <= 2; i++)
		if (fcntl(i, F_GETFD) < 0 &&
		    open("/dev/null", O_RDWR | O_CLOEXEC) < 0)
			return false;
	return true;
}

static void
close_range_slowly(int first, int last)
{
	struct rlimit limit = {.rlim_cur = 1024};

	(void)getrlimit(RLIMIT_NOFILE, &limit); /* else the usual limit */
	if (limit.rlim_cur < (rlim_t)last)
		last = (int)limit.rlim_cur;
	for (int i = first; i <= last; i++)
		(void)close(i); /* most are not open */
}

static void
close_between(int first, int last)
{
	if (first > last)
		return;
#ifdef SYS_close_range
	if (syscall(SYS_close_range, (unsigned)first, (unsigned)last, 0) == 0)
		return;
#endif
	close_range_slowly(first, last);
}

void
io_close_others(const int *keep, size_t count)
{
	int first = 3, next;

	do {
		next = 1 << 30;
		for (size_t i = 0; i < count; i++)
			if (keep[i] >= first && keep[i] < next)
				next = keep[i];
		close_between(first, next - 1);
		if (next < 1 << 30)
			(void)fcntl(next, F_SETFD, FD_CLOEXEC); /* it is open */
		first = next + 1;
	} while (next < 1 << 30);
}

bool
io_replace(int descriptor, int by)
{
	return dup2(by, descriptor) == descriptor;
}

bool
io_same_socket(int a, int b)
{
	struct stat one, other;

	return fstat(a, &one) == 0 && S_ISSOCK(one.st_mode) &&
	       fstat(b, &other) == 0 && one.st_dev == other.st_dev &&
	       one.st_ino == other.st_ino;
}

bool
io_is_socket(int descriptor)
{
	struct stat about;

	return fstat(descriptor, &about) == 0 && S_ISSOCK(about.st_mode);
}

bool
io_is_file(int descriptor)
{
	struct stat about;

	return fstat(descriptor, &about) == 0 && S_ISREG(about.st_mode);
}

bool
io_is_listening(int descriptor)
{
	int listening = 0;
	socklen_t size = sizeof listening;

	return getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listening,
		   &size) == 0 &&
	       listening != 0;
}

void
io_block(int descriptor)
{
	int flags = fcntl(descriptor, F_GETFL);

	if (flags >= 0 && (flags & O_NONBLOCK))
		(void)fcntl(descriptor, F_SETFL, flags & ~O_NONBLOCK);
}
