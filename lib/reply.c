#include "reply.h"

#include <string.h>

#include "text.h"

/* Octets of the line at text without its line end; *next is behind that. */
static size_t
line_length(const char *text, size_t length, size_t *next)
{
	const char *newline = memchr(text, '\n', length);
	size_t n = newline ? (size_t)(newline - text) : length;

	*next = newline ? n + 1 : n;
	return newline && n > 0 && text[n - 1] == '\r' ? n - 1 : n;
}

/* Reply-code of RFC 5321 4.2, first digits 2, 4 and 5 only. */
static int
code_of(const char *line, size_t length)
{
	if (length < 3 || !text_is_digit(line[0]) || !text_is_digit(line[2]))
		return 0;
	if (line[0] != '2' && line[0] != '4' && line[0] != '5')
		return 0;
	if (line[1] < '0' || line[1] > '5')
		return 0;
	if (length > 3 && line[3] != ' ' && line[3] != '-')
		return 0;
	return (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
}

/* One to three digits. */
static size_t
digits(const char *text, size_t length)
{
	size_t n = 0;

	while (n < length && n < 4 && text_is_digit(text[n]))
		n++;
	return n <= 3 ? n : 0;
}

size_t
reply_enhanced(const char *text, size_t length)
{
	size_t at = 2, n;

	if (length < 5 || text[1] != '.' ||
	    (text[0] != '2' && text[0] != '4' && text[0] != '5'))
		return 0;
	n = digits(text + at, length - at);
	at += n;
	if (n == 0 || at == length || text[at] != '.')
		return 0;
	at++;
	n = digits(text + at, length - at);
	at += n;
	return n > 0 && (at == length || text[at] == ' ') ? at : 0;
}

static bool
text_allowed(const char *text, size_t length, bool utf8)
{
	for (size_t at = 0, n; at < length; at += n) {
		n = text_is_print(text[at]) ? 1 : 0;
		if ((unsigned char)text[at] >= 0x80 && utf8)
			n = text_utf8(text + at, length - at);
		if (n == 0)
			return false;
	}
	return true;
}

int
reply_code(const char *text, size_t length, bool utf8)
{
	int code = 0;
	bool last = false;

	if (length == 0 || length > REPLY_MAX)
		return 0;
	for (size_t at = 0, next; at < length; at += next) {
		const char *line = text + at;
		size_t n = line_length(line, length - at, &next);
		int this_code = code_of(line, n);

		if (last || this_code == 0 || n > REPLY_LINE_MAX - 2)
			return 0;
		if (code != 0 && this_code != code)
			return 0;
		code = this_code;
		last = n == 3 || line[3] == ' ';
		if (n > 3 && !text_allowed(line + 4, n - 4, utf8))
			return 0;
		if (n > 3 && reply_enhanced(line + 4, n - 4) > 0 &&
		    line[4] != line[0])
			return 0;
	}
	return last ? code : 0;
}

size_t
reply_span(const char *text, size_t length)
{
	size_t at = 0, next;

	while (at < length) {
		size_t n = line_length(text + at, length - at, &next);
		bool more = n > 3 && text[at + 3] == '-';

		at += next;
		if (!more)
			break;
	}
	return at;
}
