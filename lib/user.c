#include "user.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "number.h"
#include "paged.h"

/* What is needed of a user. */
struct user {
	const char *name;
	uid_t uid;
	gid_t gid; /* the first group */
};

/* The next field of a line of passwd(5), up to a colon; *at moves behind it. */
static size_t
field(const char *text, size_t end, size_t *at)
{
	size_t begin = *at;

	while (*at < end && text[*at] != ':')
		(*at)++;
	return (*at)++ - begin;
}

/* True if the line is that of the user of that name. */
static bool
is_line_of(const char *line, size_t length, const char *name, struct user *user)
{
	uint64_t ids[2];
	size_t at = 0, size = field(line, length, &at);

	/* + and - stand for users that are elsewhere. */
	if (*name == '+' || *name == '-')
		return false;
	if (size != strlen(name) || memcmp(line, name, size) != 0)
		return false;
	(void)field(line, length, &at); /* the password */
	for (int i = 0; i < 2; i++) {
		const char *number;

		if (at >= length)
			return false;
		number = line + at;
		size = field(line, length, &at);
		if (!number_parse(number, size, UINT32_MAX - 1, &ids[i]))
			return false;
	}
	*user = (struct user){name, (uid_t)ids[0], (gid_t)ids[1]};
	return at <= length; /* there are more fields */
}

/*
 * Looks at the beginning of /etc/passwd, where users of systems are: getpwnam()
 * takes memory and five times as long for it, in each session that a launcher
 * starts.
 */
static bool
user_of_system(const char *name, struct user *user)
{
	static PAGED char text[PAGED_OCTETS];
	char *line = text, *newline;
	bool found = false;
	int file = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
	ssize_t n = file < 0 ? -1 : read(file, text, sizeof text);

	if (file >= 0)
		(void)close(file);
	while (n > 0 && !found &&
	       (newline = memchr(line, '\n', (size_t)(text + n - line)))) {
		found = is_line_of(line, (size_t)(newline - line), name, user);
		line = newline + 1;
	}
	paged_release(text, sizeof text);
	return found;
}

static bool
user_named(const char *name, struct user *user)
{
	const struct passwd *found;
	uint64_t number;

	if (user_of_system(name, user))
		return true;
	found = getpwnam(name);
	if (!found && number_parse(name, strlen(name), UINT32_MAX - 1, &number))
		found = getpwuid((uid_t)number);
	if (!found)
		return false;
	*user = (struct user){found->pw_name, found->pw_uid, found->pw_gid};
	return true;
}

static bool
group_named(const char *name, gid_t *gid)
{
	const struct group *group = getgrnam(name);
	uint64_t number;

	if (group)
		*gid = group->gr_gid;
	else if (number_parse(name, strlen(name), UINT32_MAX - 1, &number))
		*gid = (gid_t)number;
	else
		return false;
	return true;
}

bool
user_take(const char *name, uid_t uid, gid_t gid)
{
	int groups = name ? initgroups(name, gid) : setgroups(1, &gid);

	return groups == 0 && setresgid(gid, gid, gid) == 0 &&
	       setresuid(uid, uid, uid) == 0;
}

bool
user_become(const char *spec, bool all_groups)
{
	char name[256];
	size_t length = strcspn(spec, ":");
	const char *group = spec[length] ? spec + length + 1 : NULL;
	struct user user;
	gid_t gid;

	if (length >= sizeof name) {
		log_error("user name too long: %s", spec);
		return false;
	}
	memcpy(name, spec, length);
	name[length] = '\0';
	if (!user_named(name, &user)) {
		log_error("no user %s (-U names another, -n stays root)", name);
		return false;
	}
	gid = user.gid;
	if (group && !group_named(group, &gid)) {
		log_error("no group %s (-U USER:GROUP names another)", group);
		return false;
	}
	if (geteuid() != 0 && geteuid() == user.uid && getegid() == gid)
		return true;
	if (!user_take(
		all_groups && !group ? user.name : NULL, user.uid, gid)) {
		log_error("cannot become %s: %s (only root can)", spec,
		    strerror(errno));
		return false;
	}
	log_say("running as user %s (%u), group %u", user.name,
	    (unsigned)user.uid, (unsigned)gid);
	return true;
}
