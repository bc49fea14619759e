#include "log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "number.h"
#include "text.h"

/* A value is cut so that those behind it have room. */
#define VALUE_MAX 1024

static struct {
	const char *name;
	const char *session;
	bool to_syslog;
	bool quiet;
} state = {.name = "smtpd"};

void
log_open(const char *name, bool to_syslog)
{
	state.name = name;
	state.to_syslog = to_syslog;
	if (to_syslog)
		openlog(name, LOG_PID, LOG_MAIL);
}

bool
log_is_syslog(void)
{
	return state.to_syslog;
}

void
log_quiet(bool quiet)
{
	state.quiet = quiet;
}

bool
log_is_quiet(void)
{
	return state.quiet;
}

void
log_session(const char *id)
{
	state.session = id;
}

/* The last octet is kept for the newline. */
static void
add(struct log_line *line, char c)
{
	if (line->length < sizeof line->text - 1)
		line->text[line->length++] = c;
}

static void
add_text(struct log_line *line, const char *text)
{
	while (*text)
		add(line, *text++);
}

static void
begin(struct log_line *line)
{
	line->length = 0;
	add_text(line, state.name);
	add_text(line, ": ");
	line->begin = line->length;
}

/* One write for one line: lines of many processes do not mix. */
static void
put(int priority, struct log_line *line)
{
	if (state.to_syslog) {
		syslog(priority, "%.*s", (int)(line->length - line->begin),
		    line->text + line->begin);
		return;
	}
	line->text[line->length++] = '\n';
	/* If the log is gone there is nobody to tell. */
	if (write(STDERR_FILENO, line->text, line->length) < 0)
		return;
}

static void
put_format(
    int priority, const char *session, const char *format, va_list arguments)
{
	struct log_line line;
	size_t room;
	int n;

	begin(&line);
	if (session) {
		add_text(&line, "session ");
		add_text(&line, session);
		add_text(&line, ": ");
	}
	room = sizeof line.text - line.length;
	n = vsnprintf(line.text + line.length, room, format, arguments);
	if (n < 0)
		return;
	line.length += (size_t)n < room ? (size_t)n : room - 1;
	for (size_t i = line.begin; i < line.length; i++)
		if (text_has_control(line.text + i, 1))
			line.text[i] = '?';
	put(priority, &line);
}

void
log_error(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	put_format(LOG_ERR, state.session, format, arguments);
	va_end(arguments);
}

void
log_say(const char *format, ...)
{
	va_list arguments;

	if (state.quiet)
		return;
	va_start(arguments, format);
	put_format(LOG_INFO, NULL, format, arguments);
	va_end(arguments);
}

/* Control characters and octets outside ASCII come out as \xNN. */
static void
add_octet(struct log_line *line, char c)
{
	static const char hex[] = "0123456789abcdef";

	if (text_is_print(c)) {
		if (c == '"' || c == '\\')
			add(line, '\\');
		add(line, c);
		return;
	}
	add_text(line, "\\x");
	add(line, hex[(unsigned char)c >> 4]);
	add(line, hex[c & 15]);
}

void
log_begin(struct log_line *line, const char *event)
{
	begin(line);
	if (state.session) {
		add_text(line, "session=");
		add_text(line, state.session);
		add(line, ' ');
	}
	add_text(line, "event=");
	add_text(line, event);
}

static bool
needs_quotes(const char *value, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (value[i] <= ' ' || value[i] > '~' || value[i] == '"' ||
		    value[i] == '\\' || value[i] == '=')
			return true;
	return false;
}

void
log_text(
    struct log_line *line, const char *key, const char *value, size_t length)
{
	bool quotes = needs_quotes(value, length);
	size_t end = line->length + VALUE_MAX;

	add(line, ' ');
	add_text(line, key);
	add(line, '=');
	if (quotes)
		add(line, '"');
	for (size_t i = 0; i < length; i++) {
		if (line->length >= end) {
			add_text(line, "...");
			break;
		}
		add_octet(line, value[i]);
	}
	if (quotes)
		add(line, '"');
}

void
log_number(struct log_line *line, const char *key, uint64_t value)
{
	char text[NUMBER_TEXT_MAX];

	log_text(line, key, text, number_format(value, text));
}

void
log_milliseconds(struct log_line *line, const char *key, uint64_t value)
{
	char text[NUMBER_TEXT_MAX + 4];
	size_t length = number_format(value / 1000, text);

	text[length++] = '.';
	for (unsigned digit = 100; digit > 0; digit /= 10)
		text[length++] = (char)('0' + value / digit % 10);
	log_text(line, key, text, length);
}

void
log_write(struct log_line *line)
{
	if (!state.quiet)
		put(LOG_INFO, line);
}

void
log_foreign(const char *text, size_t length)
{
	struct log_line line;

	log_begin(&line, "stderr");
	log_text(&line, "text", text, length);
	put(LOG_NOTICE, &line);
}
