#include "mailbox.h"

#include <string.h>

#include "text.h"

static bool
put(struct mailbox *mailbox, char octet)
{
	if (mailbox->length == sizeof mailbox->text - 1)
		return false;
	mailbox->text[mailbox->length++] = octet;
	return true;
}

/* What is behind from may be part of a path. */
static bool
harmless(const struct mailbox *mailbox, size_t from)
{
	const char *part = mailbox->text + from;
	size_t length = mailbox->length - from;

	return length > 0 && length <= MAILBOX_PART_MAX && part[0] != '.' &&
	       !memchr(part, '/', length) && !text_has_control(part, length);
}

/* Quotes, and backslashes within them, are spelling: RFC 5321 4.1.2. */
static bool
put_local(struct mailbox *mailbox, const struct address *address)
{
	const char *text = address->text;
	bool quoted = address->local_length > 0 && *text == '"';
	size_t end = address->local_length - quoted;

	for (size_t i = quoted; i < end; i++) {
		if (quoted && text[i] == '\\' && i + 1 < end)
			i++;
		if (!put(mailbox, text[i]))
			return false;
	}
	return true;
}

static void
lower(struct mailbox *mailbox, size_t from)
{
	for (size_t i = from; i < mailbox->length; i++)
		mailbox->text[i] = text_lower(mailbox->text[i]);
}

bool
mailbox_name(struct mailbox *mailbox, const struct address *address,
    const char *domain, size_t length, bool fold)
{
	if (address->domain_length > 0) {
		domain = address->domain;
		length = address->domain_length;
	}
	mailbox->length = 0;
	if (!put_local(mailbox, address) || !harmless(mailbox, 0))
		return false;
	if (fold || text_same(mailbox->text, mailbox->length, "postmaster", 10))
		lower(mailbox, 0);
	mailbox->local_length = mailbox->length;
	if (!put(mailbox, '@'))
		return false;
	for (size_t i = 0; i < length; i++)
		if (!put(mailbox, domain[i]))
			return false;
	lower(mailbox, mailbox->local_length);
	mailbox->text[mailbox->length] = '\0';
	return harmless(mailbox, mailbox->local_length + 1);
}

bool
mailbox_same(const struct mailbox *one, const struct mailbox *other)
{
	return one->length == other->length &&
	       memcmp(one->text, other->text, one->length) == 0;
}
