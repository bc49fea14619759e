#include "quote.h"

#include <string.h>

#include "clean.h"
#include "text.h"

/* A line being worded; octets that do not fit are left out. */
struct sentence {
	size_t length;
	char text[REPLY_LINE_MAX - 2];
};

static void
put(struct sentence *line, const char *text, size_t length)
{
	if (length > sizeof line->text - line->length)
		return;
	memcpy(line->text + line->length, text, length);
	line->length += length;
}

/* Only what may stand in a reply. */
static void
put_clean(struct sentence *line, const char *text, size_t length, bool utf8)
{
	line->length += clean(text, length, utf8, line->text + line->length,
	    sizeof line->text - line->length);
}

/* True if text[at] is of the same word as its neighbour; a full stop is, but at
 * the end of a sentence. */
static bool
is_of_address(const char *text, size_t length, size_t at)
{
	static const char others[] = "!#$%&'*+-/=?^_`{|}~";
	char c = text[at];

	if (c == '.')
		return at + 1 < length && (text_is_letter(text[at + 1]) ||
					      text_is_digit(text[at + 1]));
	return text_is_letter(c) || text_is_digit(c) ||
	       memchr(others, c, sizeof others - 1);
}

static bool
holds(const char *text, size_t length, const char *part, size_t part_length)
{
	for (size_t at = 0; at + part_length <= length; at++)
		if (text_same(text + at, part_length, part, part_length) &&
		    (at == 0 || !is_of_address(text, length, at - 1)) &&
		    (at + part_length == length ||
			!is_of_address(text, length, at + part_length)))
			return true;
	return false;
}

/* 2xx, 5xx, 4xx. */
static int
badness(int code)
{
	static const int of_class[] = {0, 0, 1, 0, 3, 2};

	return of_class[code / 100];
}

/* A code that the client may be given. */
static int
translated(int code)
{
	if (code == 421)
		return 451;
	return code / 10 % 10 > 5 ? code / 100 * 100 + 50 : code;
}

static void
add_line(struct quote *quote, const struct sentence *line)
{
	if (line->length + 1 > sizeof quote->text - quote->length)
		return;
	if (quote->length > 0)
		quote->text[quote->last + 3] = '-';
	quote->last = quote->length;
	memcpy(quote->text + quote->length, line->text, line->length);
	quote->length += line->length;
	quote->text[quote->length++] = '\n';
}

/* Takes enhanced codes of another class off the front: they would make it no
 * reply. Returns the octets of the one that stays. */
static size_t
take_enhanced(const char **text, size_t *length, char class)
{
	size_t n;

	while ((n = reply_enhanced(*text, *length)) > 0 && **text != class) {
		n += n < *length ? 1 : 0;
		*text += n;
		*length -= n;
	}
	return n;
}

/* One line of upstream's: code, enhanced code, who, text. */
static void
quote_line(struct quote *quote, const char *words, size_t words_length,
    const char *who, size_t who_length)
{
	struct sentence line = {0}, clean = {0};
	char code[4] = {(char)('0' + quote->code / 100),
	    (char)('0' + quote->code / 10 % 10), (char)('0' + quote->code % 10),
	    ' '};
	const char *text = clean.text;
	size_t length, enhanced;

	put_clean(&clean, words, words_length, quote->utf8);
	length = clean.length;
	enhanced = take_enhanced(&text, &length, code[0]);
	put(&line, code, sizeof code);
	if (who) {
		put(&line, text, enhanced);
		put(&line, " ", enhanced > 0 ? 1 : 0);
		put(&line, "<", 1);
		put_clean(&line, who, who_length, quote->utf8);
		put(&line, ">:", 2);
		text += enhanced;
		length -= enhanced;
		if (length > 0 && *text != ' ')
			put(&line, " ", 1);
	}
	put_clean(&line, text, length, quote->utf8);
	/* The code alone is a line, too; a space or hyphen stays behind it. */
	if (line.length < sizeof code)
		line.length = sizeof code;
	add_line(quote, &line);
}

void
quote_add(struct quote *quote, int code, const char *text, size_t length,
    const char *who, size_t who_length)
{
	int old = quote->code ? badness(quote->code) : 0;

	code = translated(code);
	if (badness(code) < old || (old == 1 && badness(code) == 1))
		return;
	if (badness(code) > old) {
		quote_clear(quote);
		quote->code = code;
	}
	if (length == 0) {
		text = code / 100 == 2 ? "OK" : "Upstream gives no reason";
		length = strlen(text);
	}
	if (who && holds(text, length, who, who_length))
		who = NULL;
	for (size_t at = 0, n; at < length; at += n + 1) {
		const char *newline = memchr(text + at, '\n', length - at);

		n = newline ? (size_t)(newline - text) - at : length - at;
		quote_line(quote, text + at, n, who, who_length);
		who = NULL;
	}
}

void
quote_take(struct quote *quote, const struct quote *other)
{
	struct sentence line;
	int old = quote->code ? badness(quote->code) : 0;
	int new = other->code ? badness(other->code) : 0;

	if (new > old) {
		*quote = *other;
		return;
	}
	if (new < old || new < 2)
		return;
	for (size_t at = 0; at < other->length; at += line.length + 1) {
		const char *text = other->text + at;

		line.length =
		    (size_t)((char *)memchr(text, '\n', other->length - at) -
			     text);
		memcpy(line.text, text, line.length);
		/* All lines of a reply have one code. */
		memcpy(line.text, quote->text, 3);
		line.text[3] = ' ';
		add_line(quote, &line);
	}
}

void
quote_soften(struct quote *quote)
{
	if (quote->code < 500)
		return;
	quote->code = 451;
	for (size_t at = 0; at < quote->length; at++) {
		char *line = quote->text + at, *end;

		/* Each line has its end, and is "500 " at least. */
		end = memchr(line, '\n', quote->length - at);
		memcpy(line, "451", 3);
		if (reply_enhanced(line + 4, (size_t)(end - line) - 4) > 0)
			line[4] = '4';
		at = (size_t)(end - quote->text);
	}
}

const char *
quote_reply(const struct quote *quote, size_t *length)
{
	*length = quote->length;
	return quote->text;
}

void
quote_clear(struct quote *quote)
{
	quote->code = 0;
	quote->last = quote->length = 0;
}
