#include "folder.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "keep.h"

/* A directory may be searchable and not readable, as /home sometimes is. */
#ifdef O_PATH
#define SEARCH (O_PATH | O_DIRECTORY | O_CLOEXEC)
#else
#define SEARCH (O_RDONLY | O_DIRECTORY | O_CLOEXEC)
#endif
#define READ (O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)

/* The entries of directory, on the disk. */
static int
sync_entries(int directory)
{
	int readable = openat(directory, ".", READ);
	int result, error;

	if (readable < 0)
		return -1;
	do
		result = fsync(readable);
	while (result < 0 && errno == EINTR);
	error = errno;
	(void)close(readable); /* nothing was written through it */
	errno = error;
	return result;
}

static int
make(int directory, const char *name)
{
	/* Another delivery may have been faster. */
	if (mkdirat(directory, name, 0700) < 0 && errno != EEXIST)
		return -1;
	return sync_entries(directory);
}

/* True if name is there, whatever it is; else errno is ENOENT. */
static bool
is_there(int directory, const char *name)
{
	struct stat about;

	return fstatat(directory, name, &about, AT_SYMLINK_NOFOLLOW) == 0;
}

/* True for a link alone: a directory may have been made a moment ago. */
static bool
is_link(int directory, const char *name)
{
	struct stat about;

	return fstatat(directory, name, &about, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISLNK(about.st_mode);
}

/* Opens what path[0..end) names, whose last part is name. */
static int
enter(int *folder, int directory, const char *name, const char *path, int end,
    bool create, struct failure *failure)
{
	*folder = openat(directory, name, SEARCH);
	if (*folder >= 0)
		return EX_OK;
	if (errno != ENOENT) {
		(void)failure_note(failure, errno, "open %.*s", end, path);
		return EX_TEMPFAIL;
	}
	if (is_link(directory, name)) {
		(void)failure_note(failure, ENOENT,
		    "follow the symbolic link %.*s", end, path);
		return EX_TEMPFAIL;
	}
	if (!create) {
		(void)failure_note(failure, ENOENT, "open %.*s", end, path);
		return EX_NOUSER;
	}
	if (make(directory, name) == 0)
		*folder = openat(directory, name, SEARCH);
	if (*folder >= 0)
		return EX_OK;
	(void)failure_note(failure, errno, "make %.*s", end, path);
	return EX_TEMPFAIL;
}

static int
open_fixed(const char *path, size_t fixed, struct failure *failure)
{
	char *name = keep(fixed + 2);
	int directory;

	if (!name)
		return failure_note(failure, ENOMEM, "open %s", path);
	memcpy(name, fixed > 0 ? path : ".", fixed > 0 ? fixed : 1);
	directory = openat(AT_FDCWD, name, SEARCH);
	if (directory < 0)
		return failure_note(failure, errno, "open %s", name);
	return directory;
}

int
folder_open(int *folder, const char *path, size_t fixed, bool create,
    struct failure *failure)
{
	int directory = open_fixed(path, fixed, failure);
	int status = EX_OK;

	if (directory < 0)
		return EX_TEMPFAIL;
	for (size_t at = fixed; status == EX_OK && path[at];) {
		char name[256];
		size_t length = strcspn(path + at, "/");

		at += length;
		if (length >= sizeof name) {
			(void)failure_note(
			    failure, ENAMETOOLONG, "open %s", path);
			status = EX_TEMPFAIL;
		} else if (length > 0) {
			memcpy(name, path + at - length, length);
			name[length] = '\0';
			status = enter(folder, directory, name, path, (int)at,
			    create, failure);
			(void)close(directory); /* only looked up in */
			directory = *folder;
		}
		at += path[at] == '/';
	}
	if (status != EX_OK && directory >= 0)
		(void)close(directory);
	*folder = directory;
	return status;
}

int
folder_make(int folder, const char *name)
{
	if (is_there(folder, name))
		return 0;
	return errno == ENOENT ? make(folder, name) : -1;
}

int
folder_sub(int folder, const char *name)
{
	return openat(folder, name, READ);
}
