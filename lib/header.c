#include "header.h"

#include <string.h>

static bool
is_white(char octet)
{
	return octet == ' ' || octet == '\t';
}

/*
 * Octets of the name that text begins with: printable ASCII before a colon,
 * with white space between them as RFC 5322 4.5 has it. 0 if there is none.
 * *used is all of it, the colon too.
 */
static size_t
name_length(const char *text, size_t length, size_t *used)
{
	size_t name = 0, at;

	while (name < length && text[name] > ' ' && text[name] < 0x7F &&
	       text[name] != ':')
		name++;
	at = name;
	while (at < length && is_white(text[at]))
		at++;
	if (name > HEADER_NAME_MAX || at == length || text[at] != ':')
		return 0;
	*used = at + 1;
	return name;
}

bool
header_next(struct header *header, struct piece *name)
{
	size_t length, used = 0;

	length = intake_peek(header->message, HEADER_NAME_MAX + 1, &name->text);
	name->length = name_length(name->text, length, &used);
	if (name->length == 0)
		used = intake_empty_line(header->message);
	intake_use(header->message, used);
	header->in_line = true;
	header->begun = false;
	return name->length > 0;
}

/* True if the line that is next goes on with the one before: RFC 5322 2.2.3. */
static bool
folded(struct header *header)
{
	const char *text;

	return intake_peek(header->message, 1, &text) > 0 && is_white(*text);
}

/* Takes what memory shows of the line, its LF or CRLF left out. */
static struct piece
take(struct header *header)
{
	struct piece part;
	size_t length = intake_peek(header->message, 2, &part.text);
	const char *newline = memchr(part.text, '\n', length);
	size_t used = length;

	part.length = length;
	if (newline) {
		part.length = (size_t)(newline - part.text);
		used = part.length + 1;
		if (part.length > 0 && newline[-1] == '\r')
			part.length--;
	} else if (length > 1 && part.text[length - 1] == '\r') {
		/* Put off until what follows it is seen. */
		used = --part.length;
	}
	intake_use(header->message, used);
	header->in_line = !newline && used > 0;
	return part;
}

bool
header_value(struct header *header, struct piece *part)
{
	do {
		if (!header->in_line && !folded(header))
			return false;
		*part = take(header);
		while (!header->begun && part->length > 0 &&
		       is_white(*part->text)) {
			part->text++;
			part->length--;
		}
	} while (part->length == 0);
	header->begun = true;
	return true;
}
