#include "spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "io.h"
#include "log.h"
#include "tempfile.h"

/* What a message left behind in the windows is given back if it is more. */
#define KEEP ((size_t)16 * 1024)

bool
spool_begin(struct spool *spool)
{
	*spool = (struct spool){.file = -1};
	spool->windows = mmap(NULL, 2 * SPOOL_WINDOW, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return spool->windows != MAP_FAILED;
}

static char *
window(const struct spool *spool)
{
	return spool->windows + (size_t)spool->index * SPOOL_WINDOW;
}

static int
open_file(void)
{
	int file = tempfile_open();

	if (file < 0)
		log_error("cannot make a spool file in /var/tmp or /tmp: %s "
			  "(TMPDIR names another directory)",
		    strerror(errno));
	return file;
}

static void
store(struct spool *spool, size_t length)
{
	if (spool->failed)
		return;
	if (spool->file < 0)
		spool->file = open_file();
	if (spool->file < 0) {
		spool->failed = true;
		return;
	}
	if (!io_write(spool->file, window(spool), length)) {
		log_error("cannot write the spool file: %s (TMPDIR names "
			  "another directory)",
		    strerror(errno));
		spool->failed = true;
		return;
	}
	spool->filed += length;
}

void
spool_window(struct spool *spool)
{
	store(spool, SPOOL_WINDOW);
	spool->large = true;
	spool->index ^= 1;
}

void
spool_end(struct spool *spool, size_t tail)
{
	spool->tail = tail;
	spool->large = spool->large || tail > KEEP;
	if (spool->file < 0 || tail == 0)
		return;
	store(spool, tail);
	spool->tail = 0;
}

uint64_t
spool_size(const struct spool *spool)
{
	return spool->filed + spool->tail;
}

void
spool_reset(struct spool *spool)
{
	if (spool->file >= 0)
		(void)close(spool->file); /* nobody will read it */
	spool->file = -1;
	spool->filed = 0;
	spool->tail = 0;
	spool->failed = false;
}

void
spool_shrink(struct spool *spool)
{
	/* If it fails they stay as large as they are, no more. */
	if (spool->large)
		(void)madvise(spool->windows, 2 * SPOOL_WINDOW, MADV_REMOVE);
	spool->large = false;
}

static ssize_t
write_memory(int pipe, const char *text, size_t length, uint64_t at)
{
	return write(pipe, text + at, length - (size_t)at);
}

/* From the file: moved without copying where the system can. */
static ssize_t
write_file(struct feed *feed, int pipe, uint64_t at)
{
	char octets[16384];
	off_t offset = (off_t)at;
	uint64_t left = feed->spool->filed - at;
	ssize_t n;

#ifdef __linux__
	if (!feed->no_splice) {
		n = splice(feed->spool->file, &offset, pipe, NULL,
		    left < (1 << 20) ? (size_t)left : 1 << 20,
		    SPLICE_F_NONBLOCK);
		if (n >= 0 || errno != EINVAL)
			return n;
		feed->no_splice = true;
	}
#endif
	n = pread(feed->spool->file, octets,
	    left < sizeof octets ? (size_t)left : sizeof octets, offset);
	return n > 0 ? write(pipe, octets, (size_t)n) : n;
}

enum feed_result
spool_feed(struct feed *feed, int pipe)
{
	const struct spool *spool = feed->spool;
	uint64_t total = feed->head_length + spool_size(spool);

	while (feed->at < total) {
		ssize_t n;

		if (feed->at < feed->head_length)
			n = write_memory(
			    pipe, feed->head, feed->head_length, feed->at);
		else if (spool->file >= 0)
			n = write_file(
			    feed, pipe, feed->at - feed->head_length);
		else
			n = write_memory(pipe, window(spool), spool->tail,
			    feed->at - feed->head_length);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return FEED_MORE;
		if (n < 0 && errno == EPIPE)
			return FEED_CLOSED;
		if (n <= 0) {
			log_error("cannot pass on the message: %s",
			    n < 0 ? strerror(errno) : "spool file cut short");
			return FEED_FAILED;
		}
		feed->at += (uint64_t)n;
	}
	return FEED_DONE;
}
