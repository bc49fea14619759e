#include "batch.h"

#include <errno.h>
#include <sysexits.h>

#include "ending.h"
#include "failure.h"
#include "paged.h"

/* In this order, each for all deliveries before the next begins. */
enum step {
	STEP_OPEN,
	STEP_WRITE,
	STEP_MOVE,
	STEP_SYNC,
	STEP_FINISH,
	STEP_UNDO /* instead of what is left, if one fails */
};

/* A delivery as its worker knows it. */
struct work {
	struct batch *batch;
	struct delivery *delivery;
};

static int
do_step(struct batch *batch, struct delivery *delivery, enum step step,
    struct failure *failure)
{
	struct maildir *maildir = &delivery->maildir;

	switch (step) {
	case STEP_OPEN:
		return maildir_open(maildir, delivery->path, delivery->fixed,
		    batch->create, failure);
	case STEP_WRITE:
		return maildir_write(
		    maildir, delivery->head, batch->message, failure);
	case STEP_MOVE:
		return maildir_move(maildir, failure);
	case STEP_SYNC:
		return maildir_sync(maildir, failure);
	case STEP_FINISH:
		maildir_finish(maildir);
		return EX_OK;
	case STEP_UNDO:
		return maildir_undo(maildir, failure);
	}
	__builtin_trap();
}

/* What helps against the failure of a step. */
static const char *
hint_for(enum step step, int status, const struct failure *failure)
{
	if (step == STEP_UNDO)
		return "it will come twice";
	if (status == EX_NOUSER)
		return "--create makes missing Maildirs";
	if (step == STEP_WRITE && failure->error == 0)
		return "the message is shorter than SMTP_SIZE";
	if (step != STEP_OPEN)
		return NULL;
	if (failure->error == ENOENT)
		return "is a disk not mounted, or the Maildir damaged?";
	if (failure->error == ENOTDIR || failure->error == ELOOP)
		return "a Maildir is a directory, its tmp and new are no "
		       "symbolic links";
	return NULL;
}

static struct worker_result
act(void *context, int step)
{
	struct work *work = context;
	/* Not on the stack: where nothing fails it is never touched. */
	static PAGED struct failure failure;
	struct worker_result result = {0};

	failure.error = 0;
	result.status =
	    do_step(work->batch, work->delivery, (enum step)step, &failure);
	result.error = failure.error;
	if (result.status != EX_OK)
		failure_say(&failure,
		    hint_for((enum step)step, result.status, &failure));
	return result;
}

static struct worker_result
no_worker(const char *what, const char *user)
{
	struct failure failure;

	(void)failure_note(&failure, errno, "%s %s", what, user);
	failure_say(&failure, NULL);
	return (struct worker_result){EX_TEMPFAIL, failure.error};
}

/* Does the step, here or in the delivery's worker, which starts with the first
 * one. */
static struct worker_result
one(struct batch *batch, struct delivery *delivery, enum step step)
{
	struct work work = {batch, delivery};
	struct worker *worker = &delivery->worker;
	struct worker_result result;

	if (!delivery->user)
		return act(&work, (int)step);
	if (step == STEP_OPEN &&
	    worker_start(worker, delivery->user, delivery->uid, delivery->gid,
		batch->message->file, act, &work, STEP_UNDO) < 0)
		return no_worker("become", delivery->user);
	if (worker->process == 0)
		return (struct worker_result){0};
	if (worker_step(worker, (int)step, &result) < 0)
		return no_worker("ask the process of", delivery->user);
	return result;
}

/* Does the step for all. EX_NOUSER waits for what others have to say: where one
 * fails for now, the message may yet be delivered to all. */
static int
all(struct batch *batch, enum step step)
{
	int status = EX_OK;

	for (size_t i = 0; i < batch->count; i++) {
		struct worker_result result =
		    one(batch, &batch->deliveries[i], step);

		if (result.status == EX_OK ||
		    (result.status == EX_NOUSER && status != EX_OK))
			continue;
		status = result.status;
		batch->error = result.error;
		batch->culprit = i;
		if (status != EX_NOUSER && step != STEP_UNDO)
			break;
	}
	return status;
}

static int
interrupted(struct batch *batch)
{
	batch->error = EINTR;
	return failure_tell(
	    EX_TEMPFAIL, 0, "go on: a signal came that ends the process", NULL);
}

static void
end_workers(struct batch *batch)
{
	for (size_t i = 0; i < batch->count; i++)
		if (batch->deliveries[i].worker.process > 0)
			worker_end(&batch->deliveries[i].worker);
}

int
batch_deliver(struct batch *batch)
{
	int status = EX_OK;

	/* A worker that does not hear of STEP_FINISH takes back what it did. */
	for (enum step step = STEP_OPEN; step <= STEP_FINISH; step++) {
		if (step <= STEP_MOVE && ending_came())
			status = interrupted(batch);
		else
			status = all(batch, step);
		if (status != EX_OK)
			break;
	}
	if (status != EX_OK) {
		int error = batch->error;
		size_t culprit = batch->culprit;

		(void)all(batch, STEP_UNDO); /* has said what it could not */
		batch->error = error;
		batch->culprit = culprit;
	}
	end_workers(batch);
	return status;
}
