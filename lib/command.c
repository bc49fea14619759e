#include "command.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"
#include "paged.h"
#include "process.h"

/* Octets of a file that the kernel looks at (BINPRM_BUF_SIZE). */
#define FIRST_OCTETS 256

/* True if path is a file that this process, as it is now, may execute. */
static bool
executable(const char *path)
{
	struct stat about;

	if (faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) != 0 ||
	    stat(path, &about) != 0)
		return false;
	errno = S_ISREG(about.st_mode) ? 0 : EACCES;
	return errno == 0;
}

/* The interpreter in a script's first octets, as the kernel finds it
 * (binfmt_script.c): NULL if there is none, or no end of it. */
static char *
interpreter_of(char text[FIRST_OCTETS + 1])
{
	char *name = text + 2 + strspn(text + 2, " \t");
	size_t length = strcspn(name, " \t\n");

	if (length == 0 || name + length == text + FIRST_OCTETS)
		return NULL;
	name[length] = '\0';
	return name;
}

const char *
command_trouble(const char *path)
{
	static PAGED char why[FIRST_OCTETS + 100];
	char text[FIRST_OCTETS + 1], *interpreter;
	int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	ssize_t n = file < 0 ? -1 : read(file, text, FIRST_OCTETS);

	if (file >= 0)
		(void)close(file);
	/* A program may be run by who may not read it. */
	if (n < 0 || (n > 0 && (n < 2 || memcmp(text, "#!", 2) != 0)))
		return NULL;
	text[n] = '\0';
	interpreter = n > 0 ? interpreter_of(text) : NULL;
	if (!interpreter)
		return strerror(ENOEXEC);
	if (executable(interpreter))
		return NULL;
	(void)snprintf(why, sizeof why, "interpreter %s: %s", interpreter,
	    strerror(errno));
	return why;
}

/* Tries DIRECTORY/NAME; an empty directory is the current one, as in a
 * shell. */
static bool
try_directory(struct command *command, const char *directory, size_t length)
{
	static PAGED char path[COMMAND_PATH_MAX];
	int n;

	if (length == 0 && strchr(command->arguments[0], '/')) {
		command->path = command->arguments[0];
		return executable(command->path);
	}
	n = snprintf(path, sizeof path, "%.*s%s%s", (int)length, directory,
	    length ? "/" : "", command->arguments[0]);

	if (n < 0 || (size_t)n >= sizeof path) {
		errno = ENAMETOOLONG;
		return false;
	}
	command->path = path;
	return executable(path);
}

/* A reason other than "not there" is worth more than those that follow. */
static bool
search(struct command *command)
{
	const char *path = getenv("PATH");
	int reason = ENOENT;

	if (!path)
		path = COMMAND_PATH_DEFAULT;
	for (;;) {
		size_t length = strcspn(path, ":");

		if (try_directory(command, path, length))
			return true;
		if (errno != ENOENT && errno != ENOTDIR)
			reason = errno;
		if (path[length] == '\0')
			break;
		path += length + 1;
	}
	if (command->beside &&
	    try_directory(command, command->beside, strlen(command->beside)))
		return true;
	errno = reason;
	return false;
}

bool
command_find(struct command *command)
{
	const char *name = command->arguments[0], *reason;
	bool found;

	errno = ENOENT;
	if (strchr(name, '/'))
		found = try_directory(command, "", 0);
	else
		found = *name && search(command);
	reason = found ? command_trouble(command->path) : strerror(errno);
	if (!reason)
		return true;
	command->path = NULL;
	log_error("cannot run %s as user %u: %s (messages will get 451 4.3.5)",
	    *name ? name : "a command without a name", (unsigned)geteuid(),
	    reason);
	return false;
}

bool
command_gains(const char *path)
{
	struct stat about;

	return stat(path, &about) == 0 && (about.st_mode & (S_ISUID | S_ISGID));
}

pid_t
command_start(struct command *command, const int descriptors[3], int three,
    char *const *environment)
{
	struct process what = {
	    .arguments = command->arguments,
	    .environment = environment,
	    .in = descriptors[0],
	    .out = descriptors[1],
	    .err = descriptors[2],
	    .three = three,
	    .group = true,
	};
	pid_t pid = -1;
	int error;

	if (!command->path && !command_find(command))
		return -1;
	what.path = command->path;
	error = process_start(&pid, &what);
	if (error == 0)
		return pid;
	log_error("cannot run %s: %s", command->path, strerror(error));
	return -1;
}
