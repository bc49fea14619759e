#include "hooktext.h"

#include <string.h>

#include "base64.h"
#include "reply.h"
#include "sasl.h"
#include "text.h"

static const char user_name[] = "SMTP_AUTH_USER=";
static const char login_failed[] =
    "454 4.7.0 Temporary authentication failure\n";

/* Octets of X_[A-Z0-9_]+ that text begins with and a = follows; 0 if it does
 * not. */
static size_t
variable_name(const char *text, size_t length)
{
	size_t n = 2;

	if (length < 2 || memcmp(text, "X_", 2) != 0)
		return 0;
	while (n < length && (text_is_digit(text[n]) || text[n] == '_' ||
				 (text[n] >= 'A' && text[n] <= 'Z')))
		n++;
	if (n == 2 || n > HOOKTEXT_NAME_MAX || n == length || text[n] != '=')
		return 0;
	return n;
}

static bool
begins_with(const char *text, size_t length, const char *begin)
{
	size_t n = strlen(begin);

	return length >= n && memcmp(text, begin, n) == 0;
}

/* "334 BASE64"; of an empty challenge the space may be missing. */
static bool
is_challenge(const char *text, size_t length)
{
	return begins_with(text, length, "334") &&
	       (length == 3 || text[3] == ' ') && length <= SASL_LINE_MAX - 2 &&
	       (length < 4 || base64_valid(text + 4, length - 4));
}

/* A reply's first line, as far as it says that it is one. */
static bool
is_reply(const char *text, size_t length)
{
	return length >= 3 &&
	       (text[0] == '2' || text[0] == '4' || text[0] == '5') &&
	       text_is_digit(text[1]) && text_is_digit(text[2]) &&
	       (length == 3 || text[3] == ' ' || text[3] == '-');
}

/* Says that the line is of this kind, its value from text[at] to the end. */
static void
found(struct hooktext_line *line, enum hooktext_kind kind, const char *text,
    size_t at, size_t length)
{
	line->kind = kind;
	line->value = text + (at < length ? at : length);
	line->value_length = at < length ? length - at : 0;
}

void
hooktext_line(const char *text, size_t length, struct hooktext_line *line)
{
	size_t name, user = sizeof user_name - 1;

	*line = (struct hooktext_line){.kind = HOOKTEXT_OTHER};
	if (length > 0 && text[length - 1] == '\r')
		length--;
	name = variable_name(text, length);
	if (name > 0) {
		size_t n = length - name - 1;
		if (n > HOOKTEXT_VALUE_MAX ||
		    !text_is_clean(text + name + 1, n))
			return;
		found(line, HOOKTEXT_VARIABLE, text, name + 1, length);
		line->name = text;
		line->name_length = name;
	} else if (begins_with(text, length, user_name)) {
		if (sasl_user_valid(text + user, length - user))
			found(line, HOOKTEXT_USER, text, user, length);
	} else if (is_challenge(text, length)) {
		found(line, HOOKTEXT_CHALLENGE, text, 4, length);
	} else if (is_reply(text, length)) {
		line->kind = HOOKTEXT_REPLY;
	}
}

bool
hooktext_variable(
    const char *text, size_t length, size_t *at, struct hooktext_line *line)
{
	const char *newline;
	size_t n = length - *at;

	if (n == 0)
		return false;
	newline = memchr(text + *at, '\n', n);
	if (newline)
		n = (size_t)(newline - text) - *at;
	hooktext_line(text + *at, n, line);
	if (line->kind != HOOKTEXT_VARIABLE)
		return false;
	*at += newline ? n + 1 : n;
	return true;
}

/* 451 4.3.0, whatever was printed. */
static size_t
doubt(char *reply, size_t size)
{
	return verdict(VERDICT_KILLED, 0, NULL, 0, false, reply, size);
}

size_t
hooktext_verdict(enum verdict_end end, int status, const char *output,
    size_t length, bool utf8, char *reply, size_t size, size_t *variables)
{
	struct hooktext_line line;
	size_t at = 0;
	bool success = verdict_success(status), good = length <= HOOKTEXT_MAX;

	*variables = 0;
	if (end != VERDICT_EXITED)
		return verdict(end, status, NULL, 0, utf8, reply, size);
	while (hooktext_variable(output, length, &at, &line))
		continue;
	if (success && at < length &&
	    reply_code(output + at, length - at, utf8) == 0)
		good = false;
	if (success && !good)
		return doubt(reply, size);
	if (good)
		*variables = at;
	if (success && at == length)
		return 0;
	return verdict(
	    end, status, output + at, length - at, utf8, reply, size);
}

size_t
hooktext_login(enum verdict_end end, int status, const char *text,
    size_t length, bool utf8, bool has_user, char *reply, size_t size)
{
	int code = reply_code(text, length, utf8);
	bool refuses =
	    code >= 400 && (code < 500 || (status != 75 && status != 111));

	if (size < REPLY_MAX + 1)
		__builtin_trap();
	if (end == VERDICT_NOT_RUN)
		return verdict(end, status, NULL, 0, utf8, reply, size);
	if (end == VERDICT_EXITED &&
	    (refuses || (code == 235 && status == 0 && has_user)))
		return verdict(end, status, text, length, utf8, reply, size);
	memcpy(reply, login_failed, sizeof login_failed - 1);
	return sizeof login_failed - 1;
}
