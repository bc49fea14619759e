#include "wrapper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "listname.h"
#include "process.h"
#include "verdict.h"

extern char **environ;

const char *
wrapper_begin(struct wrapper *wrapper)
{
	wrapper->folder =
	    open(wrapper->folder_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (wrapper->folder < 0)
		return wrapper->folder_path;
	return access(wrapper->path, X_OK) == 0 ? NULL : wrapper->path;
}

/* Looks for one name: as wrapper_find(). */
static int
is_list(const struct wrapper *wrapper, const char *name)
{
	struct stat about;

	if (fstatat(wrapper->folder, name, &about, 0) == 0)
		return S_ISDIR(about.st_mode);
	return errno == ENOENT || errno == ENAMETOOLONG ? 0 : -1;
}

int
wrapper_find(
    struct wrapper *wrapper, struct piece address, struct wrapper_list *list)
{
	struct address parsed;
	struct mailbox mailbox;
	struct listname listname;
	int found = 0;

	if (address_parse(address.text, address.length, true, &parsed) !=
		address.length ||
	    !mailbox_name(&mailbox, &parsed, "-", 1, true))
		return 0;
	listname = (struct listname){
	    .text = mailbox.text,
	    .length = mailbox.local_length,
	};
	while (found == 0 && listname_next(&listname)) {
		memcpy(list->name, mailbox.text, listname.name);
		list->name[listname.name] = '\0';
		list->command = listname.command;
		found = is_list(wrapper, list->name);
	}
	return found;
}

/* Waits for its end, until deadline; SIGCHLD is blocked. */
static enum verdict_end
wait_for_end(pid_t pid, int64_t deadline, const sigset_t *child, int *status)
{
	for (;;) {
		int64_t left = deadline - clock_now();
		struct timespec patience = {
		    .tv_sec = left / 1000,
		    .tv_nsec = left % 1000 * 1000000,
		};

		if (left <= 0)
			(void)kill(pid, SIGKILL); /* our child, not yet gone */
		pid_t ended = waitpid(pid, status, left > 0 ? WNOHANG : 0);
		if (ended == pid)
			break;
		if (ended < 0 && errno != EINTR)
			return VERDICT_KILLED; /* somebody else took it */
		/* However this ends, the next look tells. */
		if (ended == 0)
			(void)sigtimedwait(child, NULL, &patience);
	}
	return WIFEXITED(*status) ? VERDICT_EXITED : VERDICT_KILLED;
}

size_t
wrapper_run(struct wrapper *wrapper, const struct wrapper_list *list,
    int message, int64_t deadline, char reply[REPLY_MAX + 1])
{
	/* execve(2) changes none of them. */
	char *arguments[] = {(char *)wrapper->path, (char *)list->command,
	    (char *)list->name, NULL};
	const struct process what = {
	    .path = wrapper->path,
	    .arguments = arguments,
	    .environment = environ,
	    .in = message,
	    .out = STDERR_FILENO,
	    .err = STDERR_FILENO,
	};
	enum verdict_end end = VERDICT_NOT_RUN;
	sigset_t child;
	pid_t pid;
	int status = 0;

	/* A launcher may have left it ignored: then nobody is waited for. */
	(void)signal(SIGCHLD, SIG_DFL);
	(void)sigemptyset(&child);
	(void)sigaddset(&child, SIGCHLD);
	(void)sigprocmask(SIG_BLOCK, &child, NULL);
	if (process_start(&pid, &what) == 0)
		end = wait_for_end(pid, deadline, &child, &status);
	return verdict(
	    end, WEXITSTATUS(status), NULL, 0, false, reply, REPLY_MAX + 1);
}
