#include "dialogue.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "alarm.h"
#include "errand.h"
#include "identity.h"
#include "io.h"
#include "paged.h"
#include "sandbox.h"
#include "sasl.h"

/* On one page with the commands, which are the first octets of input. */
static PAGED struct {
	struct errand errand;
	char input[TALK_CONTENT_OCTETS];
} own;

extern char **environ;

static void (*const errands[])(
    struct errand *errand, const struct smtp_event *event) = {
    [SMTP_CONTENT] = errand_content,
    [SMTP_MESSAGE] = errand_message,
    [SMTP_VERDICT] = errand_verdict,
    [SMTP_DROPPED] = errand_dropped,
    [SMTP_REFUSED] = identity_refused,
    [SMTP_CONNECT] = identity_greet,
    [SMTP_XCLIENT] = identity_xclient,
    [SMTP_STARTTLS] = identity_tls,
    [SMTP_LOGIN] = identity_login,
    [SMTP_CHALLENGE] = identity_login,
    [SMTP_RESPONSE] = identity_login,
    [SMTP_HELO] = errand_hello,
    [SMTP_MAIL] = errand_path,
    [SMTP_RCPT] = errand_path,
    [SMTP_DATA] = errand_command,
    [SMTP_RESET] = errand_reset,
    [SMTP_QUIT] = errand_quit,
    [SMTP_COMMAND] = errand_command,
};

/* What ends the session between two steps. */
static void
look_around(void)
{
	if (own.errand.talk.end)
		return;
	if (own.errand.channel.broken)
		talk_finish(&own.errand.talk, REPLY_BROKEN, "agent");
	else if (alarm_stopping() && !smtp_engaged(own.errand.talk.smtp))
		talk_finish(&own.errand.talk, REPLY_STOPPING, "stop");
	else if (alarm_session_over() && !smtp_engaged(own.errand.talk.smtp))
		talk_finish(
		    &own.errand.talk, REPLY_LONG_SESSION, "session-timeout");
}

static void
serve(void)
{
	while (!own.errand.talk.gone) {
		const struct smtp_event *event;

		look_around();
		event = smtp_next(own.errand.talk.smtp);
		telling_event(&own.errand.telling, event);
		switch (event->kind) {
		case SMTP_READ:
			if (talk_flush(&own.errand.talk))
				talk_listen(&own.errand.talk);
			break;
		case SMTP_WRITE:
			(void)talk_flush(&own.errand.talk); /* which says so if
							 the client is gone */
			break;
		case SMTP_CLOSE:
			(void)talk_flush(&own.errand.talk);
			if (!own.errand.talk.end)
				own.errand.talk.end = "closed";
			return;
		default:
			errand_notice(&own.errand, event);
			if (errands[event->kind])
				errands[event->kind](&own.errand, event);
			break;
		}
	}
}

/* What the launcher told the agent is in this process, too: no longer. */
static void
forget_environment(void)
{
	for (char **variable = environ; *variable; variable++)
		sasl_wipe(*variable, strlen(*variable));
}

/* Gives up all that is not needed, as far as the system lets us. */
static void
enter_sandbox(const struct dialogue_start *start)
{
	const struct settings *settings = start->settings;

	forget_environment();
	sandbox_prepare(start->agent, io_is_file(start->out));
	/* Trying again would be the end where a filter kills who tries. */
	if (settings->exposed || sandbox_enter())
		return;
	errand_tell(&own.errand, &(struct record){
				     .type = RECORD_EXPOSED,
				     .number = (uint64_t)errno,
				 });
	if (settings->confined)
		talk_finish(&own.errand.talk, REPLY_BROKEN, DIALOGUE_EXPOSED);
}

/* Keeps only the client and the channel. */
static void
close_others(const int *client, size_t count)
{
	int keep[5] = {own.errand.channel.descriptor};

	memcpy(keep + 1, client, count * sizeof *client);
#ifndef SANITIZE /* which reports there */
	if (own.errand.talk.in != STDERR_FILENO &&
	    own.errand.talk.out != STDERR_FILENO)
		(void)close(STDERR_FILENO); /* the log is the agent's */
#endif
	io_close_others(keep, count + 1);
}

/* The client's descriptors, now and behind TLS. */
static size_t
list_client(const struct dialogue_start *start, int client[4])
{
	const struct starttls *starttls = &start->settings->starttls;
	size_t count = 0;

	client[count++] = start->in;
	client[count++] = start->out;
	if (starttls->kind == STARTTLS_UCSPI) {
		client[count++] = starttls->in;
		client[count++] = starttls->out;
	}
	return count;
}

/* What is flushed is all that is to be said for now: it does not wait for the
 * client to acknowledge what went before, which takes 40 ms on Linux. */
static void
send_at_once(int descriptor)
{
	/* A Unix socket and a pipe take no such option, and need none. */
	(void)setsockopt(
	    descriptor, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
}

/* Ties everything together. */
static void
assemble(const struct dialogue_start *start)
{
	static PAGED char verdict[REPLY_MAX];
	static PAGED struct packet packet;
	struct talk *talk = &own.errand.talk;

	own.errand.settings = start->settings;
	own.errand.policy = start->settings->policy;
	own.errand.window.memory = start->windows;
	own.errand.channel.descriptor = start->channel;
	own.errand.channel.packet = &packet;
	own.errand.hearing = (struct hearing){
	    .channel = &own.errand.channel,
	    .window = &own.errand.window,
	    .verdict = verdict,
	};
	own.errand.telling = (struct telling){
	    .channel = &own.errand.channel,
	    .smtp = start->smtp,
	    .debug = start->settings->debug,
	};
	talk->settings = start->settings;
	talk->smtp = start->smtp;
	talk->channel = &own.errand.channel;
	talk->window = &own.errand.window;
	talk->telling = &own.errand.telling;
	talk->input = own.input;
	talk->in = start->in;
	talk->out = start->out;
}

_Noreturn void
dialogue_run(const struct dialogue_start *start)
{
	int client[4];
	size_t count = list_client(start, client);

	assemble(start);
	alarm_begin(start->settings->timeout, start->settings->session_timeout);
	send_at_once(start->out);
	close_others(client, count);
	enter_sandbox(start);
	if (own.errand.settings->proxy && !own.errand.talk.end)
		identity_header(&own.errand);
	serve();
	errand_tell(
	    &own.errand, &(struct record){
			     .type = RECORD_END,
			     .first = own.errand.talk.end,
			     .first_length = strlen(own.errand.talk.end),
			 });
	channel_send(&own.errand.channel);
	sandbox_exit(0);
}
