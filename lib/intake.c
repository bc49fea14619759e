#include "intake.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A temporary file without a name, for this user only; -1 with errno. */
static int
nameless(const char *directory)
{
	char name[4096];
	int file, length;

#ifdef O_TMPFILE
	file = open(directory, O_TMPFILE | O_RDWR | O_EXCL | O_CLOEXEC, 0600);
	if (file >= 0)
		return file;
#endif
	/* Not every file system has files without a name. */
	length = snprintf(name, sizeof name, "%s/smtpd.XXXXXX", directory);
	if (length < 0 || (size_t)length >= sizeof name) {
		errno = ENAMETOOLONG;
		return -1;
	}
	file = mkostemp(name, O_CLOEXEC);
	if (file >= 0)
		(void)unlink(name); /* a name left behind does no harm */
	return file;
}

static int
temporary(void)
{
	const char *directory = getenv("TMPDIR");
	int file;

	if (directory && *directory)
		return nameless(directory);
	/* /tmp is memory on many systems. */
	file = nameless("/var/tmp");
	return file >= 0 ? file : nameless("/tmp");
}

/* Opens the file; one that took the place of a closed descriptor 0 to 2 is
 * moved, so that no diagnostic can end up in it. */
static int
open_file(struct intake *intake)
{
	int file = temporary();

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

int
intake_read(struct intake *intake, int descriptor)
{
	for (;;) {
		if (intake->end == INTAKE_MEMORY && spill(intake) < 0)
			return -1;
		ssize_t length = read(descriptor, intake->memory + intake->end,
		    INTAKE_MEMORY - intake->end);
		if (length < 0 && errno == EINTR)
			continue;
		if (length < 0)
			return -1;
		if (length == 0)
			break;
		intake->end += (size_t)length;
		intake->size += (uint64_t)length;
	}
	if (intake->file > 0 && spill(intake) < 0)
		return -1;
	intake_rewind(intake);
	return 0;
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
