#include "launch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io.h"
#include "number.h"

/* The first descriptor that LISTEN_FDS counts: sd_listen_fds(3). */
#define LISTEN_FDS_START 3

int
launch_count(void)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
	uint64_t number;

	if (!pid || !fds ||
	    !number_parse(pid, strlen(pid), INT32_MAX, &number) ||
	    (pid_t)number != getpid() ||
	    !number_parse(fds, strlen(fds), INT32_MAX, &number))
		return 0;
	return number > LISTEN_MAX ? LISTEN_MAX + 1 : (int)number;
}

bool
launch_log_is_client(int handed)
{
	struct stat log;
	bool client;

	if (fstat(2, &log) != 0 || !S_ISSOCK(log.st_mode))
		return fcntl(2, F_GETFD) < 0;
	client = io_same_socket(2, 0) || io_same_socket(2, 1);
	for (int i = 0; i < handed; i++)
		client = client || io_same_socket(2, LISTEN_FDS_START + i);
	return client;
}

bool
launch_mute_log(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	bool muted = null >= 0 && io_replace(2, null);

	if (null > 2)
		(void)close(null); /* its copy stays */
	return muted;
}

bool
launch_take(int handed, const int *others, size_t other_count,
    struct listener *listener)
{
	int keep[LISTEN_MAX + 5], null;
	size_t count = 0;
	bool listening = io_is_listening(0);

	if (handed > LISTEN_MAX) {
		errno = E2BIG;
		return false;
	}
	for (int i = 0; i < handed; i++)
		keep[count++] = LISTEN_FDS_START + i;
	memcpy(keep + count, others, other_count * sizeof *others);
	io_close_others(keep, count + other_count);
	if (!io_occupy())
		return false;
	for (size_t i = 0; i < count; i++) {
		if (io_is_listening(keep[i])) {
			if (!listen_take(listener, keep[i]))
				return false;
			continue;
		}
		if (io_is_socket(keep[i]) &&
		    (!io_replace(0, keep[i]) || !io_replace(1, keep[i])))
			return false;
		(void)close(keep[i]); /* it lives on as 0, or is no socket */
	}
	if (!listening)
		return true;
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	keep[0] = fcntl(0, F_DUPFD_CLOEXEC, 3);
	if (null < 0 || keep[0] < 0 || !listen_take(listener, keep[0]))
		return false;
	for (int i = 0; i <= 2; i++)
		if (io_same_socket(i, keep[0]) && !io_replace(i, null))
			return false;
	(void)close(null); /* its copies stay */
	return true;
}
