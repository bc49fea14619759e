/* The log: one event a line, key=value, to stderr or syslog(3); no octet of it
 * can begin a line of its own. */
#ifndef SMTPD_LOG_H
#define SMTPD_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Octets of one line, so that one write(2) holds it. */
#define LOG_LINE_MAX 4096

/* Where lines go, errors too. Name is before each line on stderr, and the
 * ident of syslog; it must outlive the log. */
void log_open(const char *name, bool to_syslog);
bool log_is_syslog(void);

/* With quiet, only errors are written. */
void log_quiet(bool quiet);
bool log_is_quiet(void);

/* The id that each event and error from here on carries; lent for good. */
void log_session(const char *id);

/* An error, and what to do about it; printf's format. */
void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A line that is no event of a session; printf's format. */
void log_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A line of something else's stderr: text without line end. */
void log_foreign(const char *text, size_t length);

/* A line being worded. */
struct log_line {
	size_t begin; /* octets before the text: the name, on stderr */
	size_t length;
	char text[LOG_LINE_MAX];
};

void log_begin(struct log_line *line, const char *event);
/* Adds a value, in quotes where it needs them, cut where it has no room. */
void log_text(
    struct log_line *line, const char *key, const char *value, size_t length);
void log_number(struct log_line *line, const char *key, uint64_t value);
/* A duration, in seconds with three decimals. */
void log_milliseconds(struct log_line *line, const char *key, uint64_t value);
void log_write(struct log_line *line);

#endif
