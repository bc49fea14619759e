#include "agent.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif
#include <sys/socket.h>
#include <sysexits.h>
#include <unistd.h>

#include "clock.h"
#include "consult.h"
#include "decision.h"
#include "dialogue.h"
#include "envelope.h"
#include "farewell.h"
#include "introduce.h"
#include "io.h"
#include "journal.h"
#include "log.h"
#include "paged.h"
#include "peer.h"
#include "record.h"
#include "signals.h"
#include "smtp.h"
#include "spool.h"
#include "transaction.h"
#include "watch.h"

/* A session as the agent knows it. */
static struct {
	struct peer peer;
	struct transaction transaction;
	bool closed; /* the greeting was a good-bye */
	char id[40];
} self;

/* The state machine greets, and is then the dialogue's: on pages of its own,
 * which the agent lets go. */
static PAGED union {
	struct smtp smtp;
	char pages[(sizeof(struct smtp) / PAGED_OCTETS + 1) * PAGED_OCTETS];
} machine;

/* Unique on this machine, and likely so elsewhere: time and process. */
static void
make_id(void)
{
	(void)snprintf(self.id, sizeof self.id, "%llx-%lx",
	    (unsigned long long)clock_date(), (unsigned long)getpid());
	log_session(self.id);
}

/* Begins what the dialogue does not have, once. */
static void
begin_session(bool launched)
{
	struct transaction *transaction = &self.transaction;

	if (transaction->session.id)
		return;
	envelope_reset(&transaction->envelope);
	session_begin(&transaction->session, self.id,
	    transaction->settings->smtp.hostname, &self.peer, launched);
	transaction->session.lmtp = transaction->settings->smtp.lmtp;
	transaction->session.secure = transaction->settings->smtp.secure;
	if (transaction->session.secure)
		starttls_describe(launched ? getenv("SSL_PROTOCOL") : NULL,
		    launched ? getenv("SSL_CIPHER") : NULL,
		    transaction->session.tls);
}

/* Asks the hook whether the client is welcome, and how it is to be greeted. */
static void
ask_about_greeting(void)
{
	static PAGED struct advice advice;

	decision_moment(&self.transaction, "CONNECT", &advice);
	self.transaction.refused = advice_refuses(&advice);
	if (advice.stopped)
		smtp_end(&machine.smtp, REPLY_STOPPING);
	else if (advice.length > 0)
		smtp_reply(&machine.smtp, advice.reply, advice.length);
}

/* A hook's may have several lines. */
static void
log_greeting(const char *text, size_t length)
{
	const char *end;

	for (; (end = memchr(text, '\r', length)); text = end + 2) {
		journal_said(&(struct record){
		    .number = 1,
		    .first = text,
		    .first_length = (size_t)(end - text),
		});
		length -= (size_t)(end - text) + 2;
	}
}

/* The greeting, before the dialogue is forked: the fork is hidden behind the
 * client's answer. */
static bool
greet(void)
{
	struct smtp *smtp = &machine.smtp;
	size_t length;
	const char *output;

	(void)smtp_next(smtp); /* SMTP_CONNECT */
	if (hooks_any(&self.transaction.settings->hooks))
		ask_about_greeting();
	self.closed = smtp_next(smtp)->kind == SMTP_CLOSE;
	output = smtp_output(smtp, &length);
	if (self.transaction.settings->debug)
		log_greeting(output, length);
	if (!io_write(1, output, length))
		return false;
	smtp_written(smtp, length);
	return true;
}

static bool
start_dialogue(void)
{
	int ends[2];
	struct dialogue_start start = {
	    .settings = self.transaction.settings,
	    .smtp = &machine.smtp,
	    .in = 0,
	    .out = 1,
	    .agent = getpid(),
	};

	if (!spool_begin(&self.transaction.spool) ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
		return false;
	start.windows = self.transaction.spool.windows;
	self.transaction.channel = ends[0];
	start.channel = ends[1];
	self.transaction.dialogue = fork();
	if (self.transaction.dialogue == 0) {
		if (self.transaction.session.variables)
			variables_forget(self.transaction.session.variables);
		dialogue_run(&start);
	}
	(void)close(ends[1]); /* a socket with nothing in it */
	paged_release(&machine, sizeof machine);
	return self.transaction.dialogue > 0;
}

/* What the client may do for being who it is. */
static void
judge_client(struct settings *settings, bool launched)
{
	struct policy *policy = &settings->policy;
	const struct peer *peer = &self.peer;

	policy->trusted = (launched && getenv("RELAYCLIENT")) ||
			  (settings->trust && peer_is_local(peer) &&
			      !(settings->wrapped && peer->kind == PEER_TCP)) ||
			  (peer->kind == PEER_TCP &&
			      networks_have(&policy->networks, &peer->ip));
	settings->smtp.takes_xclient =
	    peer->kind == PEER_TCP &&
	    networks_have(&settings->xclient, &peer->ip);
	journal_connect(peer, NULL);
}

/* Who the client is, or the proxy, which is to say who the client is; false if
 * it may not. */
static bool
meet_client(struct settings *settings, bool launched)
{
	io_block(0);
	io_block(1);
	peer_find(&self.peer, 0, launched);
	if (!self.peer.network && isatty(0))
		settings->smtp.newline = DATA_TERMINAL;
	self.transaction.peer = &self.peer;
	self.transaction.refused = settings->proxy;
	if (!settings->proxy) {
		judge_client(settings, launched);
		return true;
	}
	/* What a connection brought that has been reset can still be read, but
	 * not who sent it: a health check, if it is no forger. */
	if (self.peer.network && self.peer.kind == PEER_UNKNOWN) {
		journal_end("hangup", 0, self.transaction.begun);
		return false;
	}
	if (!introduce_may(settings, &self.peer)) {
		log_error("%s may not send a PROXY header (--proxy-from): "
			  "hung up",
		    peer_name(&self.peer));
		return false;
	}
	return true;
}

/* No core file will have a password in it; the dialogue inherits that. */
static void
no_core(void)
{
#ifdef __linux__
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); /* 0 is good */
#endif
}

static int
cannot_begin(void)
{
	struct transaction *transaction = &self.transaction;

	log_error("cannot start the dialogue process: %s", strerror(errno));
	(void)io_write(1, REPLY_BROKEN "\r\n", strlen(REPLY_BROKEN "\r\n"));
	farewell_early(transaction, "error");
	return EX_OSERR;
}

/* Greets, if it is known whom. False if the session is over. */
static bool
open_session(void)
{
	struct transaction *transaction = &self.transaction;

	smtp_begin(&machine.smtp, &transaction->settings->smtp);
	if (transaction->settings->proxy)
		return true;
	if (!greet()) {
		farewell_end(transaction);
		return false;
	}
	if (self.closed) {
		farewell_early(transaction, "refused");
		return false;
	}
	return true;
}

/* What the dialogue does not have is made after the fork: it has no copy of
 * it, and the client has been greeted. */
int
agent_run(struct settings *settings, bool launched)
{
	struct transaction *transaction = &self.transaction;

	transaction->settings = settings;
	transaction->begun = clock_now();
	signals_begin();
	if (settings->checker || settings->smtp.mechanism_count > 0) {
		no_core();
		signals_aside();
	}
	make_id();
	if (!meet_client(settings, launched))
		return EX_OK;
	memcpy(transaction->end, "hangup", sizeof "hangup");
	if (hooks_any(&settings->hooks))
		begin_session(launched);
	if (!open_session())
		return EX_OK;
	if (!start_dialogue())
		return cannot_begin();
	begin_session(launched);
	return farewell_say(transaction, watch_keep(transaction));
}
