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

static struct errand self;

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
	if (self.talk.end)
		return;
	if (self.channel.broken)
		talk_finish(&self.talk, REPLY_BROKEN, "agent");
	else if (alarm_stopping() && !smtp_engaged(self.talk.smtp))
		talk_finish(&self.talk, REPLY_STOPPING, "stop");
	else if (alarm_session_over() && !smtp_engaged(self.talk.smtp))
		talk_finish(&self.talk, REPLY_LONG_SESSION, "session-timeout");
}

static void
serve(void)
{
	while (!self.talk.gone) {
		const struct smtp_event *event;

		look_around();
		event = smtp_next(self.talk.smtp);
		telling_event(&self.telling, event);
		switch (event->kind) {
		case SMTP_READ:
			if (talk_flush(&self.talk))
				talk_listen(&self.talk);
			break;
		case SMTP_WRITE:
			(void)talk_flush(&self.talk); /* which says so if the
							 client is gone */
			break;
		case SMTP_CLOSE:
			(void)talk_flush(&self.talk);
			if (!self.talk.end)
				self.talk.end = "closed";
			return;
		default:
			errand_notice(&self, event);
			if (errands[event->kind])
				errands[event->kind](&self, event);
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
	errand_tell(&self, &(struct record){
			       .type = RECORD_EXPOSED,
			       .number = (uint64_t)errno,
			   });
	if (settings->confined)
		talk_finish(&self.talk, REPLY_BROKEN, DIALOGUE_EXPOSED);
}

/* Keeps only the client and the channel. */
static void
close_others(const int *client, size_t count)
{
	int keep[5] = {self.channel.descriptor};

	memcpy(keep + 1, client, count * sizeof *client);
#ifndef SANITIZE /* which reports there */
	if (self.talk.in != STDERR_FILENO && self.talk.out != STDERR_FILENO)
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

_Noreturn void
dialogue_run(const struct dialogue_start *start)
{
	static PAGED char input[TALK_CONTENT_OCTETS];
	static PAGED char verdict[REPLY_MAX];
	static PAGED struct packet packet;
	struct talk *talk = &self.talk;
	int client[4];
	size_t count = list_client(start, client);

	self.settings = start->settings;
	self.policy = start->settings->policy;
	self.window.memory = start->windows;
	self.channel.descriptor = start->channel;
	self.channel.packet = &packet;
	self.hearing = (struct hearing){
	    .channel = &self.channel,
	    .window = &self.window,
	    .verdict = verdict,
	};
	self.telling = (struct telling){
	    .channel = &self.channel,
	    .smtp = start->smtp,
	    .debug = start->settings->debug,
	};
	talk->settings = start->settings;
	talk->smtp = start->smtp;
	talk->channel = &self.channel;
	talk->window = &self.window;
	talk->telling = &self.telling;
	talk->input = input;
	talk->in = start->in;
	talk->out = start->out;
	alarm_begin(start->settings->timeout, start->settings->session_timeout);
	send_at_once(start->out);
	close_others(client, count);
	enter_sandbox(start);
	if (self.settings->proxy && !talk->end)
		identity_header(&self);
	serve();
	errand_tell(&self, &(struct record){
			       .type = RECORD_END,
			       .first = self.talk.end,
			       .first_length = strlen(self.talk.end),
			   });
	channel_send(&self.channel);
	sandbox_exit(0);
}
