#include "hooks.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command.h"
#include "log.h"
#include "paged.h"
#include "text.h"

/* Names that are no commands, but moments. */
static const char *const moments[] = {"CONNECT", "DISCONNECT"};

/* Commands that have no file. */
static const char *const hookless[] = {"BDAT", "XCLIENT"};

static bool
among(const char *name, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

/* True if name is of letters, digits and hyphens; upper gets it in upper
 * case. */
static bool
is_name(const char *name, char upper[HOOKS_NAME_MAX + 1])
{
	size_t length = strlen(name);

	if (length == 0 || length > HOOKS_NAME_MAX)
		return false;
	for (size_t i = 0; i < length; i++) {
		if (!text_is_letter(name[i]) && !text_is_digit(name[i]) &&
		    name[i] != '-')
			return false;
		upper[i] = text_upper(name[i]);
	}
	upper[length] = '\0';
	return true;
}

bool
hooks_any(const struct hooks *hooks)
{
	return hooks->count > 0 || hooks->broken;
}

const struct hook *
hooks_find(const struct hooks *hooks, const char *name, size_t length)
{
	static const struct hook unusable = {.name = "", .usable = false};

	if (hooks->broken)
		return &unusable;
	for (size_t i = 0; i < hooks->count; i++)
		if (text_same(hooks->hooks[i].name,
			strlen(hooks->hooks[i].name), name, length))
			return &hooks->hooks[i];
	return NULL;
}

/* Notes a file: what is there and cannot be run is a hook, too. */
static bool
add(struct hooks *hooks, const char *directory, const char *file,
    const char *name)
{
	static PAGED struct hook all[HOOKS_MAX];
	struct hook *hook = &all[hooks->count];
	struct stat about;
	const char *why;
	int error = 0;

	if (asprintf(&hook->path, "%s/%s", directory, file) < 0)
		return false;
	if (stat(hook->path, &about) != 0 ||
	    faccessat(AT_FDCWD, hook->path, X_OK, AT_EACCESS) != 0)
		error = errno;
	else if (!S_ISREG(about.st_mode))
		error = S_ISDIR(about.st_mode) ? EISDIR : EACCES;
	memcpy(hook->name, name, strlen(name) + 1);
	why = error ? strerror(error) : command_trouble(hook->path);
	hook->usable = !why;
	if (!hook->usable)
		log_error("cannot run the hook %s as user %u: %s (%s)",
		    hook->path, (unsigned)geteuid(), why,
		    strcmp(name, "CONNECT") == 0
			? "clients will get 421 4.3.5"
			: "the command will get 451 4.3.5");
	hooks->hooks = all;
	hooks->count++;
	return true;
}

/* What keeps a file whose name could be a hook's from being one; NULL if
 * nothing does. */
static const char *
objection(const struct hooks *hooks, const char *name)
{
	size_t length = strlen(name), prefix = strlen(HOOKS_AUTH);

	if (among(name, hookless, sizeof hookless / sizeof *hookless))
		return "there is no such hook";
	if (strncmp(name, HOOKS_AUTH, prefix) == 0 &&
	    (length == prefix || length > prefix + HOOKS_MECHANISM_MAX))
		return "the name of a mechanism has 1 to 20 characters";
	if (hooks_find(hooks, name, length))
		return "there is another one in upper case";
	return NULL;
}

static bool
add_if_hook(struct hooks *hooks, const char *directory, const char *file)
{
	char name[HOOKS_NAME_MAX + 1];
	const char *why;

	if (!is_name(file, name))
		return true;
	why = objection(hooks, name);
	if (why) {
		log_error("%s/%s has no effect: %s", directory, file, why);
		return true;
	}
	if (hooks->count == HOOKS_MAX) {
		log_error("%s: more than %d hooks", directory, HOOKS_MAX);
		hooks->broken = true;
		return true;
	}
	return add(hooks, directory, file, name);
}

static bool
is_command(const char *name)
{
	for (size_t i = 0; i < SMTP_COMMANDS; i++)
		if (strcmp(smtp_commands[i].verb, name) == 0)
			return true;
	return false;
}

/* Rows for the commands that are new. */
static bool
make_commands(struct hooks *hooks)
{
	struct smtp_command *row;

	hooks->commands =
	    malloc((SMTP_COMMANDS + hooks->count) * sizeof *hooks->commands);
	if (!hooks->commands)
		return false;
	memcpy(hooks->commands, smtp_commands,
	    SMTP_COMMANDS * sizeof *smtp_commands);
	row = hooks->commands + SMTP_COMMANDS;
	for (size_t i = 0; i < hooks->count; i++) {
		const char *name = hooks->hooks[i].name;

		if (is_command(name) ||
		    among(name, moments, sizeof moments / sizeof *moments) ||
		    strncmp(name, HOOKS_AUTH, strlen(HOOKS_AUTH)) == 0)
			continue;
		*row++ = (struct smtp_command){
		    .verb = name,
		    .states = SMTP_STATE_ANY,
		    .argument = SMTP_OPTIONAL,
		    .kind = SMTP_COMMAND,
		    .syntax = name,
		    .reply = REPLY_OK,
		};
	}
	hooks->command_count = (size_t)(row - hooks->commands);
	return true;
}

static int
by_name(const struct dirent **one, const struct dirent **other)
{
	return strcmp((*one)->d_name, (*other)->d_name);
}

bool
hooks_read(struct hooks *hooks, const char *directory)
{
	struct dirent **files;
	bool good = true;
	/* In the order of names: upper case before lower. */
	int count = scandir(directory, &files, NULL, by_name);

	if (count < 0 ||
	    faccessat(AT_FDCWD, directory, X_OK, AT_EACCESS) != 0) {
		log_error("cannot use the hooks in %s as user %u: %s (clients "
			  "will get 421 4.3.5)",
		    directory, (unsigned)geteuid(), strerror(errno));
		hooks->broken = true;
	}
	for (int i = 0; i < count; i++) {
		if (!hooks->broken)
			good = good &&
			       add_if_hook(hooks, directory, files[i]->d_name);
		free(files[i]);
	}
	if (count >= 0)
		free(files);
	return good && make_commands(hooks);
}
