/* A process that does one thing, step by step, as another user, for a parent
 * that stays who it is; undoes it when the parent is gone. */
#ifndef SMTPD_WORKER_H
#define SMTPD_WORKER_H

#include <sys/types.h>

/* What came of a step: a status of sysexits.h, and errno. */
struct worker_result {
	int status;
	int error;
};

/* Does a step, in the worker. */
typedef struct worker_result worker_act(void *context, int step);

/* = {0}: there is none. */
struct worker {
	pid_t process;
	int channel;
};

/*
 * Forks a worker that becomes the user (in all groups that name is in), with no
 * descriptor from 3 on but keep (0: none), and then does act(context, step) for
 * each worker_step(), and act(context, last) when there will be no more.
 * Returns 0, or -1 with errno; EPERM and the like: it could not become that
 * user.
 */
int worker_start(struct worker *worker, const char *name, uid_t uid, gid_t gid,
    int keep, worker_act *act, void *context, int last);

/* Has the step done and waits for it; -1 with errno where the worker is gone.
 */
int worker_step(struct worker *worker, int step, struct worker_result *result);

/* Ends it and waits for that. */
void worker_end(struct worker *worker);

#endif
