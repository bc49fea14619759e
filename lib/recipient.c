#include "recipient.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "address.h"
#include "failure.h"
#include "io.h"
#include "keep.h"
#include "paged.h"
#include "pattern.h"
#include "reply.h"

void
recipient_reply(
    const struct recipient *recipient, const char *code, const char *text)
{
	struct piece address = recipient->address;
	char line[REPLY_LINE_MAX];
	bool utf8 = environment_value("SMTP_UTF8").text != NULL;
	int length = snprintf(line, sizeof line, "%s <%.*s> %s\n", code,
	    address.length < sizeof line ? (int)address.length : 0,
	    address.text, text);

	if (length < 0 || address.length >= sizeof line ||
	    (size_t)length >= sizeof line ||
	    reply_code(line, (size_t)length, utf8) == 0)
		length = snprintf(
		    line, sizeof line, "%s The recipient %s\n", code, text);
	/* Where nobody reads it, the exit status says enough. */
	if (length > 0)
		(void)io_write(STDOUT_FILENO, line, (size_t)length);
}

/* An address that no path can be made of, or that is no user's. */
static int
refuse(const struct recipient *recipient, const char *code, const char *text)
{
	struct failure failure;

	(void)failure_note(&failure, 0, "deliver to <%.*s>: it %s",
	    (int)recipient->address.length, recipient->address.text, text);
	failure_say(&failure, NULL);
	recipient_reply(recipient, code, text);
	return EX_NOUSER;
}

int
recipient_name(struct recipient *recipient, const struct rule *rule)
{
	struct piece own = environment_value("SMTP_HOSTNAME");
	struct piece text = recipient->address;
	struct address address;

	if (text.length == 0 || address_parse(text.text, text.length, true,
				    &address) != text.length)
		return refuse(recipient, "550 5.1.3", "is no address");
	if (address.domain_length == 0 && own.length == 0)
		return failure_tell(EX_CONFIG, 0,
		    "name the domain of an address without one",
		    "SMTP_HOSTNAME is not set");
	if (!mailbox_name(&recipient->mailbox, &address, own.text, own.length,
		rule->lower_case))
		return refuse(
		    recipient, "550 5.1.3", "cannot be the name of a mailbox");
	return EX_OK;
}

/* Who the local part of the mailbox is; NULL with errno 0 for nobody. */
static const struct passwd *
find_user(const struct mailbox *mailbox)
{
	char name[MAILBOX_PART_MAX + 1];
	const struct passwd *user;

	memcpy(name, mailbox->text, mailbox->local_length);
	name[mailbox->local_length] = '\0';
	errno = 0;
	user = getpwnam(name);
	/* Both mean that there is none: getpwnam(3). */
	if (!user && (errno == ENOENT || errno == ESRCH))
		errno = 0;
	return user;
}

/* The home directory of the mailbox's user, and whom to become for it. Root
 * does not read mail. */
static int
find_home(struct recipient *recipient, struct delivery *delivery, char **home)
{
	const struct passwd *user = find_user(&recipient->mailbox);

	if (!user && errno != 0)
		return failure_tell(EX_TEMPFAIL, errno, "look up a user",
		    "is the user database there?");
	if (!user || user->pw_uid == 0)
		return refuse(recipient, RECIPIENT_UNKNOWN);
	if (geteuid() != 0 && geteuid() != user->pw_uid)
		return failure_tell(EX_TEMPFAIL, EACCES,
		    "deliver to another user", "only root can: smtpd -n");
	if (user->pw_dir[0] != '/')
		return failure_tell(EX_TEMPFAIL, 0, "find the home directory",
		    "the user database has none");
	delivery->uid = user->pw_uid;
	delivery->gid = user->pw_gid;
	if (geteuid() == 0)
		delivery->user = strdup(user->pw_name);
	*home = strdup(user->pw_dir);
	if (!*home || (geteuid() == 0 && !delivery->user))
		return failure_tell(EX_TEMPFAIL, ENOMEM, "note a user", NULL);
	return EX_OK;
}

int
recipient_find(struct recipient *recipient, const struct rule *rule,
    struct delivery *delivery)
{
	/* Not on the stack, which is no larger then. */
	static PAGED struct path expanded;
	char *home = NULL, *path;
	int status = EX_OK;

	if (!pattern_expand(rule->pattern, strlen(rule->pattern),
		&recipient->mailbox, &expanded))
		return refuse(
		    recipient, "550 5.1.3", "is too long for a mailbox");
	if (rule->home)
		status = find_home(recipient, delivery, &home);
	if (status != EX_OK)
		return status;
	path = keep((home ? strlen(home) : 0) + expanded.length + 2);
	if (!path)
		return failure_tell(EX_TEMPFAIL, ENOMEM, "note a path", NULL);
	delivery->path = path;
	if (home)
		path = stpcpy(stpcpy(path, home), "/");
	(void)stpcpy(path, expanded.text);
	delivery->fixed =
	    expanded.fixed + strlen(delivery->path) - expanded.length;
	free(home);
	return EX_OK;
}
