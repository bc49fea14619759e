#include "user.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "number.h"

static const struct passwd *
user_named(const char *name)
{
	const struct passwd *user = getpwnam(name);
	uint64_t number;

	if (!user && number_parse(name, strlen(name), UINT32_MAX - 1, &number))
		user = getpwuid((uid_t)number);
	return user;
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
	const struct passwd *user;
	gid_t gid;

	if (length >= sizeof name) {
		log_error("user name too long: %s", spec);
		return false;
	}
	memcpy(name, spec, length);
	name[length] = '\0';
	user = user_named(name);
	if (!user) {
		log_error("no user %s (-U names another, -n stays root)", name);
		return false;
	}
	gid = user->pw_gid;
	if (group && !group_named(group, &gid)) {
		log_error("no group %s (-U USER:GROUP names another)", group);
		return false;
	}
	if (geteuid() != 0 && geteuid() == user->pw_uid && getegid() == gid)
		return true;
	if (!user_take(all_groups && !group ? user->pw_name : NULL,
		user->pw_uid, gid)) {
		log_error("cannot become %s: %s (only root can)", spec,
		    strerror(errno));
		return false;
	}
	log_say("running as user %s (%u), group %u", user->pw_name,
	    (unsigned)user->pw_uid, (unsigned)gid);
	return true;
}
