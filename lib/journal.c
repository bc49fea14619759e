#include "journal.h"

#include <string.h>

#include "clock.h"
#include "log.h"
#include "paged.h"

/* Octets of a list of recipients that are worth a line. */
#define RECIPIENTS_OCTETS 1100

/* The line being worded. */
static PAGED struct log_line line;

/* False if nobody is to read it. */
static bool
begin(const char *event)
{
	if (log_is_quiet())
		return false;
	log_begin(&line, event);
	return true;
}

static void
add_name(const char *key, const struct peer *peer)
{
	static const char *const kinds[] = {
	    [PEER_UNKNOWN] = "unknown",
	    [PEER_UNIX] = "unix",
	    [PEER_LOCAL] = "local",
	};
	const char *text =
	    peer->kind == PEER_TCP ? peer->remote_ip : kinds[peer->kind];

	log_text(&line, key, text, strlen(text));
}

static void
add_peer(const struct peer *peer)
{
	add_name("peer", peer);
	if (peer->remote_port[0])
		log_text(&line, "port", peer->remote_port,
		    strlen(peer->remote_port));
}

static void
add_value(const char *key, const struct value *value)
{
	log_text(&line, key, value->text + value->name_length,
	    value->length - value->name_length);
}

/* The list with commas for newlines; log_text() cuts it. */
static void
add_recipients(const struct envelope *envelope)
{
	const struct list *list = envelope->recipients;
	size_t length = list->length - list->name_length;
	char text[RECIPIENTS_OCTETS];

	if (length > sizeof text)
		length = sizeof text;
	memcpy(text, list->text + list->name_length, length);
	for (size_t i = 0; i < length; i++)
		if (text[i] == '\n')
			text[i] = ',';
	log_text(&line, "recipients", text, length);
	log_number(&line, "count", envelope->count);
}

void
journal_connect(const struct peer *peer, const struct peer *proxy)
{
	if (!begin("connect"))
		return;
	add_peer(peer);
	if (proxy)
		add_name("proxy", proxy);
	log_write(&line);
	/* The next may be a long time away; the first page is all that most
	 * lines need. */
	paged_release(&line, PAGED_OCTETS);
}

void
journal_message(const struct session *session, const struct envelope *envelope,
    const struct journal_message *message)
{
	const char *newline = memchr(message->reply, '\n', message->length);
	if (!begin("message"))
		return;
	log_number(&line, "number", message->number);
	add_peer(session->peer);
	if (session->mechanism)
		add_value("user", session->user);
	else
		log_text(&line, "user", "", 0);
	add_value("helo", session->helo);
	add_value("sender", envelope->sender);
	add_recipients(envelope);
	log_number(&line, "size", message->size);
	log_milliseconds(
	    &line, "seconds", (uint64_t)(clock_now() - message->since));
	log_text(&line, "reply", message->reply,
	    newline ? (size_t)(newline - message->reply) : message->length);
	log_write(&line);
}

void
journal_refused(const struct peer *peer, const struct record *record)
{
	if (!begin("refused"))
		return;
	add_peer(peer);
	log_text(&line, "command", record->first, record->first_length);
	log_text(&line, "reply", record->second, record->second_length);
	log_write(&line);
}

void
journal_said(const struct record *record)
{
	if (!begin(record->number ? "server" : "client"))
		return;
	log_text(&line, "line", record->first, record->first_length);
	log_write(&line);
}

void
journal_end(const char *reason, uint64_t messages, int64_t since)
{
	if (!begin("end"))
		return;
	log_text(&line, "reason", reason, strlen(reason));
	log_number(&line, "messages", messages);
	log_milliseconds(&line, "seconds", (uint64_t)(clock_now() - since));
	log_write(&line);
}

void
journal_exposed(int error, bool refusing)
{
	if (refusing)
		log_error("refusing to run without a sandbox "
			  "(--require-sandbox): seccomp: %s",
		    strerror(error));
	else
		log_error("no sandbox: the process that faces the network has "
			  "all rights of its user (seccomp: %s; "
			  "--require-sandbox refuses to run)",
		    strerror(error));
}
