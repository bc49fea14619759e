#include "telling.h"

#include <string.h>

/* In place of what may be a password. */
#define HIDDEN "(hidden)"

static bool
is_login(const struct smtp_event *event)
{
	return event->command && event->command->kind == SMTP_LOGIN;
}

/* Of AUTH, the octets up to and with the mechanism: a password is behind it. */
static size_t
without_secret(const char *line, size_t length)
{
	size_t at = 0;

	for (int words = 0; words < 2; words++) {
		while (at < length && line[at] == ' ')
			at++;
		while (at < length && line[at] != ' ')
			at++;
	}
	return at;
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
		length = without_secret(line, length);
	} else if (telling->hides && !event->command && length > 0) {
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
	char line[LINE_MAX_OCTETS];
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
	char line[LINE_MAX_OCTETS];

	channel_tell(telling->channel,
	    &(struct record){
		.type = RECORD_REFUSED,
		.first = line,
		.first_length = told_line(telling, event, line),
		.second = reply,
		.second_length = length,
	    });
	telling->hides = telling->hides || is_login(event);
	telling->urgent = true;
}
