#include "content.h"

static void
line_end(struct content *content)
{
	uint64_t line_end = content->last == '\r' ? 1 : 0;

	if (content->last != '\r')
		content->bare_newline = true;
	if (!content->body && !content->begun) {
		content->body = true;
		content->header_end = content->at - line_end;
	}
	content->size += 2;
	content->begun = false;
}

static void
octet(struct content *content, char c)
{
	if (content->last == '\r')
		content->bare_return = true;
	if (c == '\r')
		return;
	if (c == '\0')
		content->nul = true;
	if ((unsigned char)c >= 0x80) {
		content->eight_bit = true;
		content->header_eight_bit |= !content->body;
	}
	content->size++;
	content->begun = true;
}

static void
one(struct content *content, char c)
{
	if (c == '\n')
		line_end(content);
	else
		octet(content, c);
	content->last = c;
	content->at++;
}

/* The same for a block of the body, whose first octet has one before it, in
 * loops that compilers make vectors of. */
static void
block(struct content *content, const char *text)
{
	const char *before = text - 1;
	unsigned char high = 0, nul = 0, bare_return = 0, bare_newline = 0;
	unsigned char returns = 0, newlines = 0;
	size_t end = CONTENT_BLOCK;

	for (size_t i = 0; i < CONTENT_BLOCK; i++) {
		high |= (unsigned char)text[i];
		nul |= text[i] == '\0';
		returns = (unsigned char)(returns + (text[i] == '\r'));
		newlines = (unsigned char)(newlines + (text[i] == '\n'));
	}
	for (size_t i = 0; i < CONTENT_BLOCK; i++) {
		bare_return |= before[i] == '\r' && text[i] != '\n';
		bare_newline |= before[i] != '\r' && text[i] == '\n';
	}
	content->nul |= nul;
	content->eight_bit |= high >= 0x80;
	content->bare_return |= bare_return;
	content->bare_newline |= bare_newline;
	content->size += (uint64_t)(CONTENT_BLOCK + newlines - returns);
	content->at += CONTENT_BLOCK;
	content->last = text[CONTENT_BLOCK - 1];
	while (end > 0 && text[end - 1] == '\r')
		end--;
	if (end > 0)
		content->begun = text[end - 1] != '\n';
}

void
content_look(struct content *content, const char *text, size_t length)
{
	size_t i = 0;

	while (i < length && !content->body)
		one(content, text[i++]);
	if (i < length)
		one(content, text[i++]);
	for (; length - i >= CONTENT_BLOCK; i += CONTENT_BLOCK)
		block(content, text + i);
	while (i < length)
		one(content, text[i++]);
}

void
content_end(struct content *content)
{
	if (content->last == '\r')
		content->bare_return = true;
	content->unfinished = content->begun;
	if (content->unfinished)
		content->size += 2;
	if (!content->body)
		content->header_end = content->at;
}
