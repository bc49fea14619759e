#include "content.h"

static void
line_end(struct content *content)
{
	uint64_t line_end = content->last == '\r' ? 1 : 0;

	if (content->last != '\r')
		content->bare_newline = true;
	if (!content->body && content->length == 0) {
		content->body = true;
		content->header_end = content->at - line_end;
	}
	content->size += 2;
	content->length = 0;
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
	content->length++;
}

void
content_look(struct content *content, const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (text[i] == '\n')
			line_end(content);
		else
			octet(content, text[i]);
		content->last = text[i];
		content->at++;
	}
}

void
content_end(struct content *content)
{
	if (content->last == '\r')
		content->bare_return = true;
	content->unfinished = content->length > 0;
	if (content->unfinished)
		content->size += 2;
	if (!content->body)
		content->header_end = content->at;
}
