#include "process.h"

#include <signal.h>
#include <spawn.h>

static int
place(posix_spawn_file_actions_t *actions, const struct process *what)
{
	int error = posix_spawn_file_actions_adddup2(actions, what->in, 0);

	if (!error)
		error = posix_spawn_file_actions_adddup2(actions, what->out, 1);
	if (!error)
		error = posix_spawn_file_actions_adddup2(actions, what->err, 2);
	/* Last: it may take the place of one of the others. */
	if (!error && what->three > 2)
		error =
		    posix_spawn_file_actions_adddup2(actions, what->three, 3);
	return error;
}

int
process_start(pid_t *pid, const struct process *what)
{
	short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, all;
	int error;

	if (what->group)
		flags |= POSIX_SPAWN_SETPGROUP;
	/* These allocate, at most: then the first to fail ends it. */
	error = posix_spawn_file_actions_init(&actions);
	if (error)
		return error;
	error = posix_spawnattr_init(&attributes);
	if (error) {
		(void)posix_spawn_file_actions_destroy(&actions);
		return error;
	}
	(void)sigemptyset(&none);
	(void)sigfillset(&all);
	(void)posix_spawnattr_setsigmask(&attributes, &none);
	(void)posix_spawnattr_setsigdefault(&attributes, &all);
	(void)posix_spawnattr_setpgroup(&attributes, 0);
	(void)posix_spawnattr_setflags(&attributes, flags);
	error = place(&actions, what);
	if (!error)
		error = posix_spawn(pid, what->path, &actions, &attributes,
		    what->arguments, what->environment);
	(void)posix_spawnattr_destroy(&attributes);
	(void)posix_spawn_file_actions_destroy(&actions);
	return error;
}
