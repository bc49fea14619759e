#include "sink.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ending.h"
#include "visible.h"

/* Octets made visible at once. */
#define VISIBLE_PIECE 1024

int
sink_open(struct sink *sink, const char *name)
{
	int file;

	sink->named = name != NULL;
	sink->descriptor = STDERR_FILENO;
	if (name) {
		file = open(name,
		    O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0666);
		if (file < 0)
			return -1;
		/* Where descriptor 2 is closed, a diagnostic must not end up
		 * in the file. */
		sink->descriptor =
		    fcntl(file, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
		if (sink->descriptor < 0)
			return -1;
		(void)close(file); /* nothing was written through it */
	}
	sink->terminal = isatty(sink->descriptor) == 1;
	return 0;
}

static void
fail(struct sink *sink, int error)
{
	if (sink->error == 0)
		sink->error = error;
}

/* Notes where in a regular file the message begins. */
static void
find_start(struct sink *sink)
{
	struct stat status;
	int flags = fcntl(sink->descriptor, F_GETFL);

	if (flags < 0 || fstat(sink->descriptor, &status) < 0) {
		fail(sink, errno);
		return;
	}
	if (!S_ISREG(status.st_mode))
		return;
	sink->start = status.st_size;
	if (!(flags & O_APPEND))
		sink->start = lseek(sink->descriptor, 0, SEEK_CUR);
	/* In the middle of a file there is nothing to cut back to. */
	sink->regular = sink->start == status.st_size;
}

void
sink_begin(struct sink *sink)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	struct stat status;
	int result;

	do
		result = fcntl(sink->descriptor, F_SETLKW, &lock);
	while (result < 0 && errno == EINTR);
	if (result < 0) {
		int error = errno;
		/* Some systems lock regular files only. */
		if (fstat(sink->descriptor, &status) < 0 ||
		    S_ISREG(status.st_mode))
			fail(sink, error);
	}
	if (sink->error == 0)
		find_start(sink);
	/* A regular file is never waited for, so that signals can be: until
	 * the message is whole or cut back. */
	if (sink->regular && ending_hold(&sink->signals) < 0)
		fail(sink, errno);
}

bool
sink_good(struct sink *sink)
{
	if (sink->regular && sink->error == 0 && ending_came())
		fail(sink, EINTR);
	return sink->error == 0;
}

/* Writes text; descriptor 2 may be somebody's non-blocking one. */
static void
write_out(struct sink *sink, const char *text, size_t length)
{
	while (length > 0 && sink_good(sink)) {
		ssize_t wrote = write(sink->descriptor, text, length);
		if (wrote >= 0) {
			text += wrote;
			length -= (size_t)wrote;
			sink->written += wrote;
		} else if (errno == EAGAIN) {
			struct pollfd room = {
			    .fd = sink->descriptor, .events = POLLOUT};
			/* Whatever poll finds, the next write tells. */
			(void)poll(&room, 1, -1);
		} else if (errno != EINTR) {
			fail(sink, errno);
		}
	}
}

/* Writes the buffer up to the end of its last line, so that log lines of
 * others, who ask for no lock, fall between lines and not into one. */
static void
flush_lines(struct sink *sink)
{
	const char *newline = memrchr(sink->buffer, '\n', sink->used);
	size_t length =
	    newline ? (size_t)(newline + 1 - sink->buffer) : sink->used;

	write_out(sink, sink->buffer, length);
	sink->used -= length;
	memmove(sink->buffer, sink->buffer + length, sink->used);
}

static void
collect(struct sink *sink, const char *text, size_t length)
{
	while (length > 0 && sink->error == 0) {
		size_t room = SINK_BUFFER - sink->used;
		size_t part = length < room ? length : room;

		memcpy(sink->buffer + sink->used, text, part);
		sink->used += part;
		text += part;
		length -= part;
		if (sink->used == SINK_BUFFER)
			flush_lines(sink);
	}
}

void
sink_write(struct sink *sink, const char *text, size_t length)
{
	char shown[VISIBLE_MAX(VISIBLE_PIECE)];

	if (!sink->terminal) {
		collect(sink, text, length);
		return;
	}
	while (length > 0) {
		size_t part = length < VISIBLE_PIECE ? length : VISIBLE_PIECE;
		collect(sink, shown, visible(&sink->utf8, text, part, shown));
		text += part;
		length -= part;
	}
}

/* Cuts a regular file back, unless somebody else has written behind what we
 * wrote: theirs must not be lost. */
static void
cut_back(struct sink *sink)
{
	struct stat status;

	if (!sink->regular || sink->written == 0 ||
	    fstat(sink->descriptor, &status) < 0 ||
	    status.st_size != sink->start + sink->written)
		return;
	/* The error that led here is the one to tell. */
	if (ftruncate(sink->descriptor, sink->start) == 0)
		(void)lseek(sink->descriptor, sink->start, SEEK_SET);
}

int
sink_end(struct sink *sink, bool keep)
{
	struct flock lock = {.l_type = F_UNLCK, .l_whence = SEEK_SET};
	char shown[VISIBLE_MAX(0)];

	if (keep) {
		collect(sink, shown, visible_end(&sink->utf8, shown));
		write_out(sink, sink->buffer, sink->used);
		if (sink->named && sink->regular && sink_good(sink) &&
		    fdatasync(sink->descriptor) < 0)
			fail(sink, errno);
	}
	sink->used = 0;
	if (!keep || sink->error != 0)
		cut_back(sink);
	/* Where there was no lock this fails, and exit gives it up anyway. */
	(void)fcntl(sink->descriptor, F_SETLK, &lock);
	if (sink->regular)
		(void)sigprocmask(SIG_SETMASK, &sink->signals, NULL);
	errno = sink->error;
	return sink->error == 0 ? 0 : -1;
}
