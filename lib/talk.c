#include "talk.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "alarm.h"
#include "sasl.h"
#include "signals.h"

void
talk_hung_up(struct talk *talk, const char *reason)
{
	talk->gone = true;
	if (!talk->end)
		talk->end = reason;
}

bool
talk_flush(struct talk *talk)
{
	size_t length;
	const char *output = smtp_output(talk->smtp, &length);
	long since = alarm_now();

	telling_output(talk->telling, length);
	if (talk->telling->urgent)
		channel_send(talk->channel);
	talk->telling->urgent = false;
	while (length > 0) {
		ssize_t n = write(talk->out, output, length);

		if (n < 0 && errno == EINTR && !alarm_waited(since) &&
		    !alarm_session_over())
			continue;
		if (n < 0) {
			talk_hung_up(talk, errno != EINTR ? "hangup"
					   : alarm_waited(since)
					       ? "timeout"
					       : "session-timeout");
			return false;
		}
		since = alarm_now();
		smtp_written(talk->smtp, (size_t)n);
		output = smtp_output(talk->smtp, &length);
	}
	talk->telling->logged = 0;
	return true;
}

void
talk_finish(struct talk *talk, const char *reply, const char *reason)
{
	(void)talk_flush(talk); /* which says so if the client is gone */
	smtp_end(talk->smtp, reply);
	talk->end = reason;
}

/*
 * Where to read to. Content is read to where it is to stay: decoded in place,
 * in the window, it is not copied. (A bare LF that becomes CRLF grows: not
 * then.) What is behind its end is moved out by talk_free_window().
 */
static char *
input_place(struct talk *talk, size_t *room)
{
	const struct smtp_config *config = &talk->settings->smtp;
	bool grows = config->crlf && config->newline != DATA_REJECT;
	char *place = talk->input;

	*room = TALK_COMMAND_OCTETS;
	if (!smtp_receiving(talk->smtp))
		return place;
	*room = TALK_CONTENT_OCTETS;
	if (!grows)
		place = window_place(talk->window, room);
	if (*room > TALK_CONTENT_OCTETS)
		*room = TALK_CONTENT_OCTETS;
	return place;
}

void
talk_free_window(struct talk *talk)
{
	size_t length;
	char *rest = smtp_rest(talk->smtp, &length);

	if (length > 0)
		memmove(talk->input, rest, length);
	if (length > talk->dirty)
		talk->dirty = length;
	/* It may be a password. */
	if (rest < talk->input || rest > talk->input + TALK_CONTENT_OCTETS)
		sasl_wipe(rest, length);
	smtp_input(talk->smtp, talk->input, length);
}

/* What registers held when the clock ticked may be of it, too. */
static void
forget_signals(struct talk *talk)
{
	if (talk->secret && talk->tick != alarm_now())
		signals_forget();
	talk->tick = alarm_now();
}

void
talk_forget(struct talk *talk)
{
	size_t length, room;
	char *rest = smtp_rest(talk->smtp, &length);

	talk->secret = true;
	forget_signals(talk);
	if (length > 0)
		memmove(talk->input, rest, length);
	if (talk->windowed) {
		char *place = window_place(talk->window, &room);

		sasl_wipe(place, room);
		talk->windowed = false;
	}
	if (talk->dirty > length)
		sasl_wipe(talk->input + length, talk->dirty - length);
	talk->dirty = length;
	smtp_input(talk->smtp, talk->input, length);
}

/* True if the session ends for what the clock or a signal says; since is when
 * the wait for the client began. */
static bool
time_is_up(struct talk *talk, long since)
{
	if (alarm_stopping() && !smtp_engaged(talk->smtp))
		talk_finish(talk, REPLY_STOPPING, "stop");
	else if (alarm_session_over())
		talk_finish(talk, REPLY_LONG_SESSION, "session-timeout");
	else if (alarm_waited(since))
		talk_finish(talk, REPLY_TIMEOUT, "timeout");
	return talk->end;
}

/* Notes how fast message data comes; what is between two chunks of a message
 * is waited for, too. False if the session ends for it. */
static bool
keep_pace(struct talk *talk, size_t octets, long since)
{
	if (!smtp_engaged(talk->smtp)) {
		talk->pace = (struct pace){0};
		return true;
	}
	if (!smtp_receiving(talk->smtp))
		octets = 0;
	if (pace_keep(&talk->pace, talk->settings->min_rate, octets,
		alarm_now() - since))
		return true;
	talk_finish(talk, REPLY_SLOW, "min-rate");
	return false;
}

void
talk_listen(struct talk *talk)
{
	long since = alarm_now(), begun = since;
	size_t room;
	char *place = input_place(talk, &room);
	ssize_t n;

	/* The rest of a line that was too long, too. */
	if (talk->secret)
		talk_forget(talk);
	while (!time_is_up(talk, begun)) {
		n = read(talk->in, place, room);
		if (n > 0) {
			if (place != talk->input)
				talk->windowed = true;
			else if ((size_t)n > talk->dirty)
				talk->dirty = (size_t)n;
			if (keep_pace(talk, (size_t)n, since))
				smtp_input(talk->smtp, place, (size_t)n);
			return;
		}
		forget_signals(talk);
		if (n == 0 || errno != EINTR) {
			talk_hung_up(talk, "hangup");
			return;
		}
		if (!keep_pace(talk, 0, since))
			return;
		since = alarm_now();
	}
}
