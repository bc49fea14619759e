#include "agent.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif
#include <sys/socket.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "admission.h"
#include "clock.h"
#include "complaint.h"
#include "consult.h"
#include "decision.h"
#include "dialogue.h"
#include "envelope.h"
#include "introduce.h"
#include "io.h"
#include "journal.h"
#include "log.h"
#include "paged.h"
#include "peer.h"
#include "record.h"
#include "sasl.h"
#include "signals.h"
#include "smtp.h"
#include "spool.h"
#include "transaction.h"

/* A client that still sends when it has been told 421 gets so long to read
 * it, before the rest of what it sent resets the connection. */
#define LINGER_SECONDS 2

/* The dialogue has so long to end, when the session has lasted its time. */
#define LATE_SECONDS 5

/* Its clock is so far behind at most. */
#define TICK_SECONDS 5

/* A session as the agent knows it. */
static struct {
	struct peer peer;
	struct transaction transaction;
	bool broken;     /* the dialogue sent what it may not */
	bool reset;      /* it has ended, an answer unread */
	bool late;       /* it should have ended the session long ago */
	int64_t over_at; /* by clock_now(), when it has begun its last step */
	int64_t late_at; /* when it has ended */
	bool over;       /* so does nobody listen any more */
	bool closed;     /* the greeting was a good-bye */
	int64_t begun;
	char id[40];
} self;

/* The state machine greets, and is then the dialogue's: on pages of its own,
 * which the agent lets go. */
static PAGED union {
	struct smtp smtp;
	char pages[(sizeof(struct smtp) / PAGED_OCTETS + 1) * PAGED_OCTETS];
} machine;

static bool
has_hooks(void)
{
	const struct hooks *hooks = &self.transaction.settings->hooks;

	return hooks->count > 0 || hooks->broken;
}

/* Where the connection is from, for sentences. */
static const char *
proxy_name(void)
{
	return self.peer.kind == PEER_TCP ? self.peer.remote_ip
					  : "a client that has no address";
}

/* Unique on this machine, and likely so elsewhere: time and process. */
static void
make_id(void)
{
	(void)snprintf(self.id, sizeof self.id, "%llx-%lx",
	    (unsigned long long)clock_date(), (unsigned long)getpid());
	log_session(self.id);
}

static bool
is_secret(enum record_type type)
{
	return type == RECORD_LOGIN || type == RECORD_CHALLENGE ||
	       type == RECORD_RESPONSE;
}

/* Overwrites the stack behind the caller, where signals leave registers. */
__attribute__((noinline)) static void
wipe_stack(void)
{
	char octets[64 * 1024];

	sasl_wipe(octets, sizeof octets);
}

/* A password was in the packet. */
static void
forget(char octets[RECORD_PACKET_MAX])
{
	sasl_wipe(octets, RECORD_PACKET_MAX);
	/* The registers that copies go through have nothing of it either. */
	for (size_t n = 16; n <= RECORD_PACKET_MAX / 2; n *= 2)
		memmove(octets, octets + n, n);
	wipe_stack();
}

/* What a dialogue may still say when the session is over. */
static bool
is_last_word(enum record_type type)
{
	return type == RECORD_END || type == RECORD_SAID ||
	       type == RECORD_REFUSED || type == RECORD_VERDICT ||
	       type == RECORD_DROPPED;
}

/* What came before the end of the session the agent finishes, however long that
 * takes; behind it nothing is begun. False if the record is not sound. */
static bool
take_in_time(const struct record *record)
{
	bool before = clock_now() < self.over_at, sound;
	int64_t later;

	self.late = !before && !is_last_word(record->type);
	if (self.late)
		return true;
	sound = transaction_take(&self.transaction, record);
	later = clock_now() + LATE_SECONDS * 1000;
	if (before && later > self.late_at)
		self.late_at = later;
	return sound;
}

static void
take_packet(void)
{
	static PAGED char octets[RECORD_PACKET_MAX];
	struct record record;
	size_t at = 0;
	int found;
	ssize_t n = read(self.transaction.channel, octets, sizeof octets);

	if (n < 0 && errno == EINTR)
		return;
	/* It ended with an answer of ours unread. The system says so first, and
	 * once: its last words are still to be read. */
	if (n < 0 && errno == ECONNRESET && !self.reset) {
		self.reset = true;
		return;
	}
	if (n <= 0) {
		/* A dialogue that is still there tells the client 421. */
		(void)shutdown(self.transaction.channel, SHUT_RDWR);
		self.over = true;
		return;
	}
	do {
		found = packet_next(octets, (size_t)n, &at, &record);
		if (found == 1 && !take_in_time(&record))
			found = -1;
		/* A sound dialogue waits: nothing is behind it. */
		if (found == 1 && is_secret(record.type))
			forget(octets);
	} while (found == 1 && !self.transaction.stopped && !self.late);
	self.broken = found < 0;
	self.over = self.broken || self.transaction.stopped || self.late ||
		    self.transaction.told_end;
}

/* Until when the dialogue may go on: it has a clock of its own, ends the
 * session by that, and begins nothing behind it. Where it does not, it is not
 * what it should be. */
static void
set_end(void)
{
	int64_t most = self.transaction.settings->session_timeout;

	self.over_at =
	    most ? clock_now() + most * 1000 + TICK_SECONDS * 1000 : INT64_MAX;
	self.late_at = most ? self.over_at + LATE_SECONDS * 1000 : INT64_MAX;
}

/* Milliseconds to wait for the dialogue, -1: for ever; told to stop, it is to
 * be told again each second. */
static int
patience(bool told)
{
	int64_t left = self.late_at - clock_now();
	int most = told ? 1000 : INT_MAX;

	if (!told && self.late_at == INT64_MAX)
		return -1;
	return left < 0 ? 0 : left > most ? most : (int)left;
}

/* Answers records until the dialogue has ended, or may not go on. */
static void
serve(void)
{
	struct pollfd polled[] = {
	    {.fd = self.transaction.channel, .events = POLLIN},
	    {.fd = -1, .events = POLLIN},
	};

	set_end();
	while (!self.over) {
		int stops = signals_stops();

		if (stops > 1)
			return;
		/* Said again each second: it may come between the dialogue's
		 * look and its sleep. */
		if (stops > 0)
			(void)kill(self.transaction.dialogue, SIGTERM);
		polled[1].fd = complaint_source();
		if (signals_wait(polled, 2, patience(stops > 0)) > 0) {
			if (polled[1].revents)
				complaint_take();
			if (polled[0].revents)
				take_packet();
		}
		self.late =
		    self.late || (!self.over && clock_now() >= self.late_at);
		self.over = self.over || self.late;
	}
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
	if (has_hooks())
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
	    .windows = self.transaction.spool.windows,
	    .in = 0,
	    .out = 1,
	    .agent = getpid(),
	};

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
		return false;
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

/* Reads what a client goes on sending, so that closing does not reset the
 * connection before it has read the last reply. */
static void
linger(void)
{
	static PAGED char octets[4096];
	struct pollfd polled = {.fd = 0, .events = POLLIN};
	int64_t until = clock_now() + (int64_t)LINGER_SECONDS * 1000;

	if (shutdown(1, SHUT_WR) != 0)
		return; /* no socket, or gone */
	for (;;) {
		int64_t left = until - clock_now();

		if (left <= 0 || signals_stops() > 1)
			return;
		if (signals_wait(&polled, 1, (int)left) <= 0)
			continue;
		if (read(0, octets, sizeof octets) <= 0)
			return;
	}
}

/* True if the client may still be sending, and does not know that nobody
 * listens. */
static bool
unexpected_end(void)
{
	static const char *const expected[] = {
	    "hangup", "quit", DIALOGUE_NO_HEADER};

	for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
		if (strcmp(self.transaction.end, expected[i]) == 0)
			return false;
	return true;
}

/* Waits for the dialogue, which has ended or is made to; its wait(2) status. */
static int
wait_for_dialogue(bool *killed)
{
	int64_t until = clock_now() + (int64_t)LINGER_SECONDS * 1000;
	int status = 0;

	while (waitpid(self.transaction.dialogue, &status, WNOHANG) == 0) {
		int64_t left = until - clock_now();

		if (left <= 0 || *killed) {
			*killed = true;
			(void)kill(self.transaction.dialogue,
			    SIGKILL); /* or it ends */
		}
		(void)signals_wait(NULL, 0, left > 0 ? (int)left : 10);
	}
	return status;
}

/* Lets the client go, which would wait for the end of what is still run. */
static void
hang_up(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0)
		return; /* then it waits */
	(void)io_replace(0, null);
	(void)io_replace(1, null);
	(void)close(null); /* its copies stay */
}

/* The last that is heard of a session. */
static void
end_session(void)
{
	static PAGED struct advice advice; /* which nobody is given */
	const struct transaction *transaction = &self.transaction;

	admission_end();
	if (has_hooks() && signals_stops() < 2 &&
	    (self.transaction.introduced || !transaction->settings->proxy)) {
		hang_up();
		decision_moment(&self.transaction, "DISCONNECT", &advice);
	}
	journal_end(
	    self.transaction.end, self.transaction.messages, self.begun);
}

/* What the dialogue did that it may not, or that was done to it, for the log;
 * NULL if nothing. stays: it had to be killed, though it had ended. */
static const char *
misdeed(bool stays, bool died)
{
	if (self.broken)
		return "sent a record that it may not; session ended";
	if (self.late)
		return "went on after the end of the session "
		       "(--session-timeout); it was killed";
	if (stays)
		return "went on after it had said that it ends; it was killed";
	return died ? "was killed by signal" : NULL;
}

/* The end of the session; the exit status. */
static int
finish(void)
{
	bool stopped = !self.broken && !self.late && signals_stops() > 1;
	bool killed = self.broken || self.late || stopped, waits = !killed;
	int status = wait_for_dialogue(&killed);
	bool died = WIFSIGNALED(status) && !killed;
	const char *wrong = misdeed(waits && killed, died);

	if (stopped)
		memcpy(self.transaction.end, "stop", sizeof "stop");
	if (died)
		log_error("the dialogue process %s %d; session ended", wrong,
		    WTERMSIG(status));
	else if (wrong)
		log_error("the dialogue process %s", wrong);
	else if (strcmp(self.transaction.end, DIALOGUE_NO_HEADER) == 0)
		log_error("no PROXY header, or a bad one, from %s: hung up",
		    proxy_name());
	else if (!killed && !self.transaction.moved && unexpected_end())
		linger();
	end_session();
	if (wrong)
		return EX_SOFTWARE;
	return strcmp(self.transaction.end, DIALOGUE_EXPOSED) == 0 ? EX_CONFIG
								   : EX_OK;
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
		journal_end("hangup", 0, self.begun);
		return false;
	}
	if (!introduce_may(settings, &self.peer)) {
		log_error("%s may not send a PROXY header (--proxy-from): "
			  "hung up",
		    proxy_name());
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
	log_error("cannot begin a session: %s", strerror(errno));
	(void)io_write(1, REPLY_BROKEN "\r\n", strlen(REPLY_BROKEN "\r\n"));
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
		end_session();
		return false;
	}
	if (self.closed) {
		memcpy(transaction->end, "refused", sizeof "refused");
		linger();
		end_session();
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
	self.begun = clock_now();
	signals_begin();
	if (settings->checker || settings->smtp.mechanism_count > 0) {
		no_core();
		signals_aside();
	}
	make_id();
	if (!meet_client(settings, launched))
		return EX_OK;
	memcpy(transaction->end, "hangup", sizeof "hangup");
	if (!spool_begin(&transaction->spool))
		return cannot_begin();
	if (has_hooks())
		begin_session(launched);
	if (!open_session())
		return EX_OK;
	if (!start_dialogue()) {
		log_error(
		    "cannot start the dialogue process: %s", strerror(errno));
		(void)io_write(
		    1, REPLY_BROKEN "\r\n", strlen(REPLY_BROKEN "\r\n"));
		return EX_OSERR;
	}
	begin_session(launched);
	serve();
	return finish();
}
