#include "failure.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What helps, in most cases. */
static const struct {
	int error;
	const char *hint;
} hints[] = {
    {EACCES, "smtpd -U names the user it runs as"},
    {EPERM, "smtpd -U names the user it runs as"},
    {ENOSPC, "make room on that disk"},
    {EDQUOT, "the quota is used up"},
    {EFBIG, "the limit of ulimit -f is reached"},
    {EMFILE, "raise ulimit -n"},
    {EROFS, "is it mounted read-only?"},
    {EBADF, "is the descriptor closed?"},
};

static const char *name = "smtpd";

void
failure_begin(const char *program)
{
	name = program;
}

int
failure_note(struct failure *failure, int error, const char *format, ...)
{
	va_list arguments;

	failure->error = error;
	va_start(arguments, format);
	/* What does not fit is cut. */
	(void)vsnprintf(failure->what, sizeof failure->what, format, arguments);
	va_end(arguments);
	return -1;
}

static const char *
hint_for(int error)
{
	for (size_t i = 0; i < sizeof hints / sizeof hints[0]; i++)
		if (hints[i].error == error)
			return hints[i].hint;
	return NULL;
}

void
failure_say(const struct failure *failure, const char *hint)
{
	char line[FAILURE_MAX + 256];
	size_t length;
	int n;

	if (!hint)
		hint = hint_for(failure->error);
	n = snprintf(line, sizeof line, "%s: cannot %s%s%s%s%s%s", name,
	    failure->what, failure->error ? ": " : "",
	    failure->error ? strerror(failure->error) : "", hint ? " (" : "",
	    hint ? hint : "", hint ? ")" : "");
	if (n < 0)
		return;
	length = (size_t)n < sizeof line ? (size_t)n : sizeof line - 1;
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)line[i] < ' ' || line[i] == 127)
			line[i] = '?';
	line[length++] = '\n';
	/* There is nowhere to complain about complaining. */
	if (write(STDERR_FILENO, line, length) < 0)
		return;
}

int
failure_tell(int status, int error, const char *what, const char *hint)
{
	struct failure failure;

	(void)failure_note(&failure, error, "%s", what);
	failure_say(&failure, hint);
	return status;
}
