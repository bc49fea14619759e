#include "intake.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io.h"
#include "tempfile.h"

/* Opens the file; one that took the place of a closed descriptor 0 to 2 is
 * moved, so that no diagnostic can end up in it. */
static int
open_file(struct intake *intake)
{
	int file = tempfile_open();

	if (file < 0)
		return -1;
	intake->file = file;
	if (file <= STDERR_FILENO) {
		intake->file = fcntl(file, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
		(void)close(file);
	}
	return intake->file < 0 ? -1 : 0;
}

/* Moves what memory holds to the file. */
static int
spill(struct intake *intake)
{
	if (intake->file == 0 && open_file(intake) < 0)
		return -1;
	while (intake->start < intake->end) {
		ssize_t length =
		    write(intake->file, intake->memory + intake->start,
			intake->end - intake->start);
		if (length < 0 && errno != EINTR)
			return -1;
		if (length > 0)
			intake->start += (size_t)length;
	}
	intake->start = intake->end = 0;
	return 0;
}

/* Reads until memory is full. */
static int
fill(struct intake *intake)
{
	while (intake->more && intake->end < INTAKE_MEMORY) {
		ssize_t length = read(intake->source,
		    intake->memory + intake->end, INTAKE_MEMORY - intake->end);
		if (length < 0 && errno == EINTR)
			continue;
		if (length < 0)
			return -1;
		if (intake->show && length > 0)
			intake->show(intake->context,
			    intake->memory + intake->end, (size_t)length);
		intake->more = length > 0;
		intake->end += (size_t)length;
		intake->size += (uint64_t)length;
	}
	return 0;
}

int
intake_begin(struct intake *intake, int descriptor)
{
	intake->source = descriptor;
	intake->more = true;
#ifndef SPLICE_F_NONBLOCK
	intake->by_hand = true;
#endif
	return fill(intake);
}

int
intake_rest(struct intake *intake)
{
	while (intake->more)
		if (spill(intake) < 0 || fill(intake) < 0)
			return -1;
	if (intake->file > 0 && spill(intake) < 0)
		return -1;
	intake_rewind(intake);
	return 0;
}

int
intake_read(struct intake *intake, int descriptor)
{
	return intake_begin(intake, descriptor) < 0 ? -1 : intake_rest(intake);
}

ssize_t
intake_pour(struct intake *intake, int file)
{
	ssize_t length;

#ifdef SPLICE_F_NONBLOCK
	if (!intake->by_hand) {
		length = splice(intake->source, NULL, file, NULL, 1 << 20,
		    SPLICE_F_NONBLOCK);
		if (length < 0 && (errno == EINVAL || errno == ENOSYS)) {
			/* Not between these two; reading would wait. */
			intake->by_hand = true;
			errno = EAGAIN;
		}
	} else
#endif
	{
		length = read(intake->source, intake->memory, INTAKE_MEMORY);
		if (length > 0 &&
		    !io_write(file, intake->memory, (size_t)length))
			return -1;
	}
	if (length > 0)
		intake->size += (uint64_t)length;
	intake->more = length != 0;
	return length;
}

void
intake_rewind(struct intake *intake)
{
	intake->start = 0;
	intake->loaded = 0;
	intake->end = intake->file > 0 ? 0 : (size_t)intake->size;
}

/* Reads from the file into what is free of memory. */
static void
load(struct intake *intake)
{
	ssize_t length = pread(intake->file, intake->memory + intake->end,
	    INTAKE_MEMORY - intake->end, (off_t)intake->loaded);

	if (length > 0) {
		intake->end += (size_t)length;
		intake->loaded += (uint64_t)length;
	} else if (length == 0) {
		/* The file is ours: nobody else can have shortened it. */
		intake->error = EIO;
	} else if (errno != EINTR) {
		intake->error = errno;
	}
}

size_t
intake_peek(struct intake *intake, size_t wanted, const char **text)
{
	size_t held = intake->end - intake->start;

	if (intake->file > 0 && held < wanted) {
		memmove(intake->memory, intake->memory + intake->start, held);
		intake->start = 0;
		intake->end = held;
		while (intake->error == 0 && intake->end < wanted &&
		       intake->loaded < intake->size)
			load(intake);
	}
	*text = intake->memory + intake->start;
	return intake->error == 0 ? intake->end - intake->start : 0;
}

void
intake_use(struct intake *intake, size_t length)
{
	intake->start += length;
}

size_t
intake_empty_line(struct intake *intake)
{
	const char *text;
	size_t length = intake_peek(intake, 2, &text);

	if (length > 0 && text[0] == '\n')
		return 1;
	return length > 1 && text[0] == '\r' && text[1] == '\n' ? 2 : 0;
}

int
intake_file(struct intake *intake)
{
	if (intake->file == 0) {
		intake_rewind(intake);
		if (spill(intake) < 0)
			return -1;
		intake_rewind(intake);
	}
	return lseek(intake->file, 0, SEEK_SET) < 0 ? -1 : intake->file;
}
