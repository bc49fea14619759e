#include "telling.h"

#include <string.h>

#include "paged.h"
#include "text.h"

/* In place of what may be a password. */
#define HIDDEN "(hidden)"

static bool
is_login(const struct smtp_event *event)
{
	return event->command && event->command->kind == SMTP_LOGIN;
}

/* True if the word is the name of a mechanism that clients try, or PASS of
 * other protocols. What is not known may be a password. */
static bool
is_mechanism(const char *word, size_t length)
{
	static const char *const names[] = {"PLAIN", "LOGIN", "CRAM-MD5",
	    "DIGEST-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256", "XOAUTH2",
	    "OAUTHBEARER", "EXTERNAL", "ANONYMOUS", "GSSAPI", "NTLM", "PASS"};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (text_same(word, length, names[i], strlen(names[i])))
			return true;
	return false;
}

/* Nearly AUTH, and so to the machine an unknown command: misspelt, or behind
 * something else. A word of it is a mechanism, or begins as AUTH does. */
static bool
is_nearly_login(const struct smtp_event *event)
{
	const char *line = event->line;
	size_t at = 0, begin;

	while (!event->command && at < event->line_length) {
		begin = at;
		while (at < event->line_length && line[at] != ' ' &&
		       line[at] != '\t')
			at++;
		if (is_mechanism(line + begin, at - begin) ||
		    (at - begin >= 4 && text_same(line + begin, 4, "AUTH", 4)))
			return true;
		at++;
	}
	return false;
}

/* Of AUTH, the octets up to and with the mechanism: a password is behind it, or
 * in its place. */
static size_t
without_secret(const struct smtp_event *event)
{
	static const size_t verb = sizeof "AUTH" - 1;
	const char *line = event->line;
	size_t at = verb, begin;

	while (at < event->line_length && line[at] == ' ')
		at++;
	begin = at;
	while (at < event->line_length &&
	       (text_is_letter(line[at]) || text_is_digit(line[at]) ||
		   line[at] == '-' || line[at] == '_'))
		at++;
	/* The text of the event is one that is known. */
	return event->text || is_mechanism(line + begin, at - begin) ? at
								     : verb;
}

/* The command line for the log: NULs, which records do not hold, as "?". A
 * response in AUTH is told as the command that it belongs to; lines behind an
 * AUTH that was refused may be responses, too. */
static size_t
told_line(const struct telling *telling, const struct smtp_event *event,
    char told[LINE_MAX_OCTETS])
{
	const char *line = event->line;
	size_t length = line ? event->line_length : 0, begin = 0;

	if (length > LINE_MAX_OCTETS)
		length = LINE_MAX_OCTETS;
	if (is_login(event) && line && length == 0) {
		memcpy(told, "AUTH ", 5);
		line = event->text;
		length = event->length;
		begin = 5;
	} else if (is_login(event)) {
		length = without_secret(event);
	} else if (is_nearly_login(event) ||
		   (telling->hides && !event->command && length > 0)) {
		line = HIDDEN;
		length = strlen(HIDDEN);
	}
	for (size_t i = 0; i < length; i++)
		told[begin + i] = (char)(line[i] ? line[i] : '?');
	return begin + length;
}

static void
tell_line(struct telling *telling, bool server, const char *text, size_t length)
{
	channel_tell(telling->channel, &(struct record){
					   .type = RECORD_SAID,
					   .number = server,
					   .first = text,
					   .first_length = length,
				       });
	telling->urgent = true;
}

void
telling_output(struct telling *telling, size_t length)
{
	size_t whole;
	const char *output = smtp_output(telling->smtp, &whole);

	while (telling->debug && telling->logged < length) {
		const char *line = output + telling->logged;
		const char *end = memchr(line, '\r', length - telling->logged);

		if (!end)
			break;
		tell_line(telling, true, line, (size_t)(end - line));
		telling->logged += (size_t)(end - line) + 2;
	}
}

void
telling_event(struct telling *telling, const struct smtp_event *event)
{
	static PAGED char line[LINE_MAX_OCTETS];
	size_t length;
	const char *output = smtp_output(telling->smtp, &length);

	if (event->command && !is_login(event))
		telling->hides = false;
	if (!telling->debug)
		return;
	if (event->kind >= SMTP_DROPPED && event->kind <= SMTP_ASKED)
		length = (size_t)(event->reply - output);
	telling_output(telling, length);
	if (!event->line || event->kind < SMTP_REFUSED)
		return;
	if (is_login(event) && event->line_length == 0)
		tell_line(telling, false, HIDDEN, strlen(HIDDEN));
	else
		tell_line(
		    telling, false, line, told_line(telling, event, line));
}

void
telling_refused(struct telling *telling, const struct smtp_event *event,
    const char *reply, size_t length)
{
	static PAGED char line[LINE_MAX_OCTETS];

	channel_tell(telling->channel,
	    &(struct record){
		.type = RECORD_REFUSED,
		.first = line,
		.first_length = told_line(telling, event, line),
		.second = reply,
		.second_length = length,
	    });
	telling->hides =
	    telling->hides || is_login(event) || is_nearly_login(event);
	telling->urgent = true;
}

void
telling_login(struct telling *telling)
{
	telling->hides = true;
}
