#include "maildir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h> /* renameat(2) */
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "clock.h"
#include "ending.h"
#include "folder.h"
#include "io.h"
#include "number.h"

/* Names that are tried before giving up. */
#define TRIES 100

static int
failed(struct maildir *maildir, const char *verb, const char *where,
    struct failure *failure)
{
	(void)failure_note(failure, errno, "%s %s/%s%s", verb, maildir->path,
	    where, where[strlen(where) - 1] == '/' ? maildir->name : "");
	return EX_TEMPFAIL;
}

static int
make_subs(struct maildir *maildir, int folder, struct failure *failure)
{
	static const char *const subs[] = {"tmp", "cur", "new"};

	for (size_t i = 0; i < sizeof subs / sizeof subs[0]; i++)
		if (folder_make(folder, subs[i]) < 0)
			return failed(maildir, "make", subs[i], failure);
	return EX_OK;
}

/* A Maildir that has only one of the two is being made, or is damaged. */
static int
open_subs(struct maildir *maildir, int folder, struct failure *failure)
{
	int tmp = folder_sub(folder, "tmp");
	bool no_tmp = tmp < 0 && errno == ENOENT;
	int new;

	if (tmp < 0 && !no_tmp)
		return failed(maildir, "open", "tmp", failure);
	maildir->tmp = no_tmp ? 0 : tmp;
	new = folder_sub(folder, "new");
	if (new < 0) {
		bool neither = no_tmp && errno == ENOENT;
		(void)failed(maildir, "open", "new", failure);
		return neither ? EX_NOUSER : EX_TEMPFAIL;
	}
	maildir->new = new;
	errno = ENOENT;
	return no_tmp ? failed(maildir, "open", "tmp", failure) : EX_OK;
}

int
maildir_open(struct maildir *maildir, const char *path, size_t fixed,
    bool create, struct failure *failure)
{
	int folder, status;

	maildir->path = path;
	status = folder_open(&folder, path, fixed, create, failure);
	if (status != EX_OK)
		return status;
	if (create)
		status = make_subs(maildir, folder, failure);
	if (status == EX_OK)
		status = open_subs(maildir, folder, failure);
	(void)close(folder); /* only looked up in */
	return status;
}

/* The host's name, as a Maildir wants it: no slash, no colon. */
static void
put_host(char *out, size_t room)
{
	char host[65] = "";

	/* A name that is cut may lack its NUL. Without any name of the host,
	 * the time and the process are still there. */
	if (gethostname(host, sizeof host - 1) < 0 || !host[0])
		(void)strcpy(host, "localhost");
	for (const char *at = host; *at && room > 4; at++) {
		const char *escaped = *at == '/'   ? "\\057"
				      : *at == ':' ? "\\072"
						   : NULL;
		size_t length = escaped ? 4 : 1;

		memcpy(out, escaped ? escaped : at, length);
		out += length;
		room -= length;
	}
	*out = '\0';
}

/* seconds.MmicrosecondsPprocessQnumber.host:
 * https://cr.yp.to/proto/maildir.html */
static void
choose_name(struct maildir *maildir)
{
	static uint64_t number;
	char *at = maildir->name, *six;
	int64_t now = clock_date();

	at += number_format((uint64_t)(now / 1000000), at);
	six = at + 1; /* the 1 is M's place, and keeps the zeroes */
	at = six + number_format((uint64_t)(now % 1000000) + 1000000, six);
	memcpy(six - 1, ".M", 2);
	*at++ = 'P';
	at += number_format((uint64_t)getpid(), at);
	*at++ = 'Q';
	at += number_format(++number, at);
	*at++ = '.';
	put_host(at, sizeof maildir->name - (size_t)(at - maildir->name));
}

static int
create_file(struct maildir *maildir)
{
	int file = -1;

	for (int i = 0; i < TRIES && file < 0; i++) {
		choose_name(maildir);
		file = openat(maildir->tmp, maildir->name,
		    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (file < 0 && errno != EEXIST)
			return -1;
	}
	maildir->written = file >= 0;
	return file;
}

/* fsync(2), however often a signal comes. */
static int
sync_fully(int descriptor)
{
	int result;

	do
		result = fsync(descriptor);
	while (result < 0 && errno == EINTR);
	return result;
}

/* What has not been taken in yet. */
static int
copy_rest(int file, struct intake *message)
{
	while (message->more) {
		if (ending_came()) {
			errno = EINTR;
			return -1;
		}
		if (message->by_hand && ending_wait(message->source) < 0)
			return -1;
		if (intake_pour(message, file) < 0 && errno != EINTR &&
		    (errno != EAGAIN || ending_wait(message->source) < 0))
			return -1;
	}
	if (message->size >= message->least)
		return 0;
	errno = 0; /* it was cut on the way */
	return -1;
}

static int
copy(int file, const char *head, struct intake *message)
{
	const char *text;
	size_t length;

	if (!io_write(file, head, strlen(head)))
		return -1;
	intake_rewind(message);
	while ((length = intake_peek(message, 1, &text)) > 0) {
		if (ending_came()) {
			errno = EINTR;
			return -1;
		}
		if (!io_write(file, text, length))
			return -1;
		intake_use(message, length);
	}
	errno = message->error;
	if (message->error != 0 || copy_rest(file, message) < 0)
		return -1;
	return sync_fully(file);
}

int
maildir_write(struct maildir *maildir, const char *head, struct intake *message,
    struct failure *failure)
{
	int file = create_file(maildir);
	int status = EX_OK;

	if (file < 0)
		return failed(maildir, "create", "tmp/", failure);
	if (copy(file, head, message) < 0) {
		status = failed(maildir, "write", "tmp/", failure);
		(void)close(file); /* what failed is known */
	} else if (close(file) < 0) {
		status = failed(maildir, "write", "tmp/", failure);
	}
	return status;
}

/* For file systems without hard links: rename(2) replaces what is there, so
 * look first; the name is unique anyway. */
static int
move_without_link(struct maildir *maildir)
{
	struct stat about;

	if (fstatat(maildir->new, maildir->name, &about, AT_SYMLINK_NOFOLLOW) ==
	    0) {
		errno = EEXIST;
		return -1;
	}
	if (errno != ENOENT || renameat(maildir->tmp, maildir->name,
				   maildir->new, maildir->name) < 0)
		return -1;
	maildir->written = false;
	return 0;
}

int
maildir_move(struct maildir *maildir, struct failure *failure)
{
	int result =
	    linkat(maildir->tmp, maildir->name, maildir->new, maildir->name, 0);

	if (result < 0 && (errno == EPERM || errno == EOPNOTSUPP ||
			      errno == ENOSYS || errno == EXDEV))
		result = move_without_link(maildir);
	if (result < 0)
		return failed(maildir, "create", "new/", failure);
	maildir->moved = true;
	return EX_OK;
}

int
maildir_sync(struct maildir *maildir, struct failure *failure)
{
	if (sync_fully(maildir->new) < 0)
		return failed(maildir, "write to the disk", "new", failure);
	return EX_OK;
}

static void
close_both(struct maildir *maildir)
{
	/* Directories: what was to be written is. */
	if (maildir->tmp > 0)
		(void)close(maildir->tmp);
	if (maildir->new > 0)
		(void)close(maildir->new);
	*maildir = (struct maildir){0};
}

void
maildir_finish(struct maildir *maildir)
{
	/* A name left there does no harm: readers remove old ones. */
	if (maildir->written)
		(void)unlinkat(maildir->tmp, maildir->name, 0);
	close_both(maildir);
}

int
maildir_undo(struct maildir *maildir, struct failure *failure)
{
	int status = EX_OK;

	if (maildir->moved && (unlinkat(maildir->new, maildir->name, 0) < 0 ||
				  sync_fully(maildir->new) < 0))
		status = failed(maildir, "take back", "new/", failure);
	if (maildir->written && unlinkat(maildir->tmp, maildir->name, 0) < 0)
		status = failed(maildir, "remove", "tmp/", failure);
	close_both(maildir);
	return status;
}
