#include "telling.h"

#include <string.h>

/* The command line for the log: NULs, which records do not hold, as "?", and
 * nothing behind the mechanism of AUTH, which is a password. */
static size_t
told_line(const struct smtp_event *event, char told[LINE_MAX_OCTETS])
{
	size_t length = event->line ? event->line_length : 0;
	const char *space;

	if (length > LINE_MAX_OCTETS)
		length = LINE_MAX_OCTETS;
	for (size_t i = 0; i < length; i++)
		told[i] = (char)(event->line[i] ? event->line[i] : '?');
	if (!event->command || strcmp(event->command->verb, "AUTH") != 0)
		return length;
	space = length > 5 ? memchr(told + 5, ' ', length - 5) : NULL;
	return space ? (size_t)(space - told) : length;
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

	if (!telling->debug)
		return;
	if (event->kind == SMTP_REFUSED || event->kind == SMTP_DROPPED)
		length = (size_t)(event->reply - output);
	telling_output(telling, length);
	if (event->line && event->kind >= SMTP_REFUSED)
		tell_line(telling, false, line, told_line(event, line));
}

void
telling_refused(struct telling *telling, const struct smtp_event *event,
    const char *reply, size_t length)
{
	char line[LINE_MAX_OCTETS];

	channel_tell(
	    telling->channel, &(struct record){
				  .type = RECORD_REFUSED,
				  .first = line,
				  .first_length = told_line(event, line),
				  .second = reply,
				  .second_length = length,
			      });
	telling->urgent = true;
}
