/* Finding and starting a program; no shell in between. */
#ifndef SMTPD_COMMAND_H
#define SMTPD_COMMAND_H

#include <stdbool.h>
#include <sys/types.h>

#define COMMAND_PATH_MAX 4096

/* Where programs are looked for if the launcher left no PATH. */
#define COMMAND_PATH_DEFAULT \
	"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

struct command {
	char *const *arguments; /* the first is the name; ends in NULL */
	const char *beside;     /* a directory to look in last, or NULL */
	const char *path;       /* NULL where none was found yet */
};

/*
 * Finds the program on PATH, or takes its name as a path where it has a slash.
 * False, with the reason logged, where there is none that this process can
 * execute. What is found is in memory that the next search overwrites.
 */
bool command_find(struct command *command);

/*
 * What the kernel will say against running a file that may be executed, as far
 * as its first octets tell: that it is empty, or a script whose interpreter
 * cannot be run. NULL if nothing; good until the next call.
 */
const char *command_trouble(const char *path);

/* True if a file has set-user-ID or set-group-ID: who runs it gains rights. */
bool command_gains(const char *path);

/*
 * Starts it in a process group of its own, with the descriptors as 0, 1 and 2,
 * and three as 3 if it is above 2, this environment, no signal blocked, ignored
 * or handled. Looks for it again if it was not there. Returns its id, -1 with
 * the reason logged.
 */
pid_t command_start(struct command *command, const int descriptors[3],
    int three, char *const *environment);

#endif
