#include "action.h"

#include <string.h>

#include "clean.h"
#include "text.h"

/* The first words, with the reply of those that refuse (access(5)). Where no
 * restriction is left to be asked, as behind a hook, "if permit" is now. */
static const struct {
	const char *word;
	enum action_kind kind;
	int code;
	const char *text;
} rows[] = {
    {"DUNNO", ACTION_PASS, 0, NULL},
    {"OK", ACTION_PASS, 0, NULL},
    {"RELAY", ACTION_PASS, 0, NULL},
    {"REJECT", ACTION_REFUSE, 554, "Access denied"},
    {"DEFER", ACTION_REFUSE, 450, "Access denied"},
    {"DEFER_IF_PERMIT", ACTION_REFUSE, 450, "Service unavailable"},
    {"PREPEND", ACTION_PREPEND, 0, NULL},
    {"INFO", ACTION_NOTE, 0, NULL},
    {"WARN", ACTION_NOTE, 0, NULL},
};

/* Part of the answer. */
struct span {
	const char *text;
	size_t length;
};

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* What is behind the first n octets, and behind the blanks there. */
static struct span
skip(struct span span, size_t n)
{
	while (n < span.length && is_blank(span.text[n]))
		n++;
	return (struct span){span.text + n, span.length - n};
}

/* Octets of the line at text, which ends within length; LF not among them. */
static size_t
line_length(const char *text, const char *newline)
{
	size_t n = (size_t)(newline - text);

	return n > 0 && text[n - 1] == '\r' ? n - 1 : n;
}

enum action_found
action_find(
    const char *text, size_t length, const char **value, size_t *value_length)
{
	static const char name[] = "action=";
	const size_t name_length = sizeof name - 1;
	const char *newline;

	*value_length = 0;
	for (; (newline = memchr(text, '\n', length)) != NULL;
	     length -= (size_t)(newline + 1 - text), text = newline + 1) {
		size_t n = line_length(text, newline);

		if (memchr(text, '\0', n))
			return ACTION_GARBLED;
		if (n == 0)
			return *value_length ? ACTION_FOUND : ACTION_GARBLED;
		if (!memchr(text, '=', n))
			return ACTION_GARBLED;
		if (n < name_length || memcmp(text, name, name_length) != 0)
			continue;
		/* Two answers are none. */
		if (*value_length)
			return ACTION_GARBLED;
		*value = text + name_length;
		*value_length = n - name_length;
		if (skip((struct span){*value, *value_length}, 0).length == 0)
			return ACTION_GARBLED;
	}
	return ACTION_PART;
}

/* Octets of the first word. */
static size_t
word_length(struct span span)
{
	size_t n = 0;

	while (n < span.length && !is_blank(span.text[n]))
		n++;
	return n;
}

static size_t
count_digits(struct span span)
{
	size_t n = 0;

	while (n < span.length && text_is_digit(span.text[n]))
		n++;
	return n;
}

static void
put(struct action *action, const char *text, size_t length)
{
	memcpy(action->text + action->length, text, length);
	action->length += length;
}

/* A reply of code: with the words' enhanced code, of the class of the code, or
 * else X.7.1 as Postfix has it; otherwise stands where there are no words.
 * Codes that RFC 5321 4.2 does not know become X50. */
static void
refuse(struct action *action, int code, struct span words,
    const char *otherwise, bool utf8)
{
	size_t enhanced = reply_enhanced(words.text, words.length), n;
	char start[] = "000 0.", *out;

	if (code / 10 % 10 > 5)
		code = code / 100 * 100 + 50;
	action->kind = ACTION_REFUSE;
	action->code = code;
	action->length = 0;
	start[0] = start[4] = (char)('0' + code / 100);
	start[1] = (char)('0' + code / 10 % 10);
	start[2] = (char)('0' + code % 10);
	put(action, start, 6);
	if (enhanced > 0)
		put(action, words.text + 2, enhanced - 2);
	else
		put(action, "7.1", 3);
	put(action, " ", 1);
	words = skip(words, enhanced);
	out = action->text + action->length;
	n = clean(words.text, words.length, utf8, out,
	    REPLY_LINE_MAX - 2 - action->length);
	action->length += n;
	if (n == 0)
		put(action, otherwise, strlen(otherwise));
	put(action, "\n", 1);
}

/* RFC 5322 2.2: a name of printable characters, and a colon. */
static bool
is_field(struct span span)
{
	size_t n = 0;

	while (n < span.length && text_is_print(span.text[n]) &&
	       span.text[n] != ' ' && span.text[n] != ':')
		n++;
	return n > 0 && n < span.length && span.text[n] == ':';
}

static void
take_row(struct action *action, size_t row, struct span words, bool utf8)
{
	enum action_kind kind = rows[row].kind;

	if (kind == ACTION_REFUSE)
		refuse(action, rows[row].code, words, rows[row].text, utf8);
	if (kind == ACTION_PREPEND && !is_field(words))
		kind = ACTION_UNKNOWN; /* its text is the whole of it */
	if (kind == ACTION_PREPEND)
		action->length = clean(words.text, words.length, utf8,
		    action->text, sizeof action->text);
	action->kind = kind;
}

/* An action that begins with a number. */
static void
take_number(struct action *action, struct span all, bool utf8)
{
	size_t digits = count_digits(all);
	const char *d = all.text;

	if (digits == 3 && word_length(all) == 3 && (*d == '4' || *d == '5'))
		refuse(action,
		    (d[0] - '0') * 100 + (d[1] - '0') * 10 + (d[2] - '0'),
		    skip(all, 3), "Access denied", utf8);
	else if (digits > 0 && digits == all.length)
		action->kind = ACTION_PASS; /* a time stamp (access(5)) */
}

void
action_read(struct action *action, const char *value, size_t length, bool utf8)
{
	struct span all = skip((struct span){value, length}, 0);
	size_t word = word_length(all);

	action->kind = ACTION_UNKNOWN;
	action->code = 0;
	action->length = clean(
	    all.text, all.length, utf8, action->text, sizeof action->text);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (text_same(
			all.text, word, rows[i].word, strlen(rows[i].word))) {
			take_row(action, i, skip(all, word), utf8);
			return;
		}
	}
	take_number(action, all, utf8);
}
