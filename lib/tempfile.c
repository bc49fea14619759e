#include "tempfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int
open_in(const char *directory)
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

int
tempfile_open(void)
{
	const char *const directories[] = {
	    getenv("TMPDIR"), "/var/tmp", "/tmp"};
	int file = -1;

	for (size_t i = 0; i < 3 && file < 0; i++)
		if (directories[i] && *directories[i])
			file = open_in(directories[i]);
	return file;
}
