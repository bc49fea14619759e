#include "pattern.h"

#include <string.h>

bool
pattern_valid(const char *pattern, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (pattern[i] != '%')
			continue;
		i++;
		if (i == length || !pattern[i] || !strchr("uda%", pattern[i]))
			return false;
	}
	return length > 0;
}

static bool
put(struct path *path, const char *text, size_t length)
{
	if (length >= sizeof path->text - path->length)
		return false;
	memcpy(path->text + path->length, text, length);
	path->length += length;
	return true;
}

/* What % and letter stand for. */
static bool
put_value(struct path *path, char letter, const struct mailbox *mailbox)
{
	const char *text = mailbox->text;
	size_t local = mailbox->local_length;

	switch (letter) {
	case 'u':
		return put(path, text, local);
	case 'd':
		return put(path, text + local + 1, mailbox->length - local - 1);
	case 'a':
		return put(path, text, mailbox->length);
	default:
		return put(path, &letter, 1);
	}
}

/* Octets of text up to its last slash, that included. */
static size_t
directory_length(const char *text, size_t length)
{
	while (length > 0 && text[length - 1] != '/')
		length--;
	return length;
}

static bool
parts_fit(const struct path *path)
{
	size_t part = 0;

	for (size_t i = 0; i < path->length; i++) {
		part = path->text[i] == '/' ? 0 : part + 1;
		if (part > PATTERN_PART_MAX)
			return false;
	}
	return true;
}

bool
pattern_expand(const char *pattern, size_t length,
    const struct mailbox *mailbox, struct path *path)
{
	bool varies = false;

	path->length = path->fixed = 0;
	for (size_t i = 0; i < length; i++) {
		char letter = pattern[i];
		bool value = letter == '%' && i + 1 < length;

		if (value)
			letter = pattern[++i];
		if (value && letter != '%' && !varies) {
			varies = true;
			path->fixed =
			    directory_length(path->text, path->length);
		}
		if (value ? !put_value(path, letter, mailbox)
			  : !put(path, &letter, 1))
			return false;
	}
	while (path->length > 1 && path->text[path->length - 1] == '/')
		path->length--;
	path->text[path->length] = '\0';
	if (!varies)
		path->fixed = directory_length(path->text, path->length);
	return parts_fit(path);
}
