/* A program started with three descriptors and nothing else of ours: no signal
 * blocked, ignored or handled (real-time signals: as they are); whatever is to
 * be closed is close-on-exec. */
#ifndef SMTPD_PROCESS_H
#define SMTPD_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

struct process {
	const char *path;
	char *const *arguments; /* the first is the name; ends in NULL */
	char *const *environment;
	int in, out, err; /* will be 0, 1 and 2 */
	int three;        /* will be 3, where it is above 2 */
	bool group;       /* in a process group of its own */
};

/* Notes which signals have an action that is not the default, once: after it
 * none is given one any more. Who forks those that start programs may do so for
 * all of them. */
void process_prepare(void);

/* Starts it: its id in *pid, 0; else an errno. (Where vfork(2) is no more than
 * fork(2), as under qemu-user, what cannot be executed exits with 127.) */
int process_start(pid_t *pid, const struct process *what);

#endif
