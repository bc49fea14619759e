#include "introduce.h"

#include <string.h>

#include "consult.h"
#include "decision.h"
#include "journal.h"
#include "paged.h"
#include "sequence.h"
#include "text.h"
#include "xclient.h"

/* SMTP_AUTH_MECHANISM of a LOGIN, as Postfix calls it. */
#define MECHANISM "XCLIENT"

/* What has been said so far. */
static struct {
	bool address; /* who the client is: the peer is no proxy */
	bool port;
	bool proxied;      /* an XCLIENT has come */
	struct peer proxy; /* from whom */
} known;

bool
introduce_may(const struct settings *settings, const struct peer *peer)
{
	bool known_ip = peer->kind == PEER_TCP;

	if (settings->proxies.count > 0)
		return known_ip && networks_have(&settings->proxies, &peer->ip);
	return !peer->network || (known_ip && ip_is_loopback(&peer->ip));
}

static bool
is_set(const struct xclient *xclient, enum xclient_attribute attribute)
{
	return xclient->values[attribute].state == XCLIENT_SET;
}

static bool
is_there(const struct xclient *xclient, enum xclient_attribute attribute)
{
	return xclient->values[attribute].state != XCLIENT_ABSENT;
}

/* Copies a value that was named; one that was cleared is empty. */
static void
copy(const struct xclient *xclient, enum xclient_attribute attribute, char *to,
    size_t size)
{
	const struct xclient_value *value = &xclient->values[attribute];

	if (value->state == XCLIENT_ABSENT)
		return;
	if (value->length >= size)
		__builtin_trap();
	memcpy(to, value->text, value->length + 1);
}

/* Who the client is, and where it connected to. What is not named holds, but
 * for a port that was the proxy's. */
static void
set_peer(struct peer *peer, const struct xclient *xclient)
{
	const struct xclient_value *address = &xclient->values[XCLIENT_ADDR];

	if (is_there(xclient, XCLIENT_ADDR)) {
		if (!known.port)
			peer->remote_port[0] = '\0';
		known.address = ip_parse(address->text, &peer->ip);
		peer->kind = known.address ? PEER_TCP : PEER_UNKNOWN;
	}
	known.port = known.port || is_there(xclient, XCLIENT_PORT);
	copy(xclient, XCLIENT_ADDR, peer->remote_ip, sizeof peer->remote_ip);
	copy(
	    xclient, XCLIENT_PORT, peer->remote_port, sizeof peer->remote_port);
	copy(xclient, XCLIENT_DESTADDR, peer->local_ip, sizeof peer->local_ip);
	copy(xclient, XCLIENT_DESTPORT, peer->local_port,
	    sizeof peer->local_port);
}

/* Whether the client is in a network. The address of a proxy is nobody's. */
static bool
is_from(const struct transaction *self, const struct networks *networks)
{
	return known.address && networks_have(networks, &self->peer->ip);
}

/* The client is another than was thought: what he may do, and whether he is
 * welcome. */
static void
welcome(struct transaction *self, bool logged_in)
{
	static PAGED struct advice advice;
	struct settings *settings = self->settings;
	struct policy *policy = &settings->policy;

	policy->trusted = logged_in || is_from(self, &policy->networks);
	decision_moment(self, "CONNECT", &advice);
	self->stopped = advice.stopped;
	self->refused = advice_refuses(&advice);
	if (self->stopped)
		return;
	advice.reply[advice.length] = '\0';
	if (self->refused)
		decision_refused(self, "CONNECT", advice.reply);
	transaction_answer(self,
	    &(struct record){
		.type = RECORD_REPLY,
		.number =
		    (policy->trusted ? RECORD_TRUSTED : 0) |
		    (settings->smtp.takes_xclient ? RECORD_MAY_XCLIENT : 0),
		.first = advice.reply,
		.first_length = advice.length,
	    });
}

/* Nothing but addresses and ports, all of them. */
static bool
is_proxied(const struct xclient *xclient)
{
	static const bool wanted[XCLIENT_ATTRIBUTES] = {
	    [XCLIENT_ADDR] = true,
	    [XCLIENT_PORT] = true,
	    [XCLIENT_DESTADDR] = true,
	    [XCLIENT_DESTPORT] = true,
	};

	for (int i = 0; i < XCLIENT_ATTRIBUTES; i++)
		if (xclient->values[i].state !=
		    (wanted[i] ? XCLIENT_SET : XCLIENT_ABSENT))
			return false;
	return true;
}

static bool
set_tls(struct transaction *self, const struct record *record)
{
	struct session *session = &self->session;

	if (record->second_length == 0)
		return true;
	if (record->second_length >= sizeof session->tls)
		return false;
	for (size_t i = 0; i < record->second_length; i++)
		if (!text_is_print(record->second[i]))
			return false;
	memcpy(session->tls, record->second, record->second_length);
	session->tls[record->second_length] = '\0';
	session->secure = self->settings->smtp.secure = true;
	return true;
}

bool
introduce_proxy(struct transaction *self, const struct record *record)
{
	static PAGED struct xclient xclient;
	struct settings *settings = self->settings;
	struct peer *peer = self->peer, proxy = *peer;
	bool tcp = record->number == RECORD_CLIENT_TCP;

	if (!settings->proxy || self->introduced ||
	    record->number > RECORD_CLIENT_TCP ||
	    tcp != (record->first_length > 0) ||
	    (tcp && (!xclient_parse(
			 record->first, record->first_length, &xclient) ||
			!is_proxied(&xclient))) ||
	    !set_tls(self, record))
		return false;
	self->introduced = true;
	if (tcp)
		set_peer(peer, &xclient);
	else if (record->number == RECORD_CLIENT_UNIX)
		*peer = (struct peer){.kind = PEER_UNIX};
	session_introduce(&self->session);
	settings->smtp.takes_xclient = is_from(self, &settings->xclient);
	journal_connect(peer, &proxy);
	welcome(self, false);
	/* To an XCLIENT this is a proxy, too. */
	known.address = known.port = false;
	return true;
}

/* Forgets what the client before has said of himself, and what was found out
 * about him; takes what is said of this one. */
static void
set_session(struct session *session, const struct xclient *xclient)
{
	const struct xclient_value *helo = &xclient->values[XCLIENT_HELO];
	const struct xclient_value *login = &xclient->values[XCLIENT_LOGIN];

	session_introduce(session);
	variables_drop(session_variables(session), true);
	copy(xclient, XCLIENT_NAME, session->host, sizeof session->host);
	/* LMTP knows one kind of greeting only. */
	session_helo(session,
	    session->lmtp ||
		strcmp(xclient->values[XCLIENT_PROTO].text, "ESMTP") == 0,
	    helo->text, helo->length);
	session->greeted = is_set(xclient, XCLIENT_HELO);
	session_user(session, is_set(xclient, XCLIENT_LOGIN) ? MECHANISM : NULL,
	    login->text, login->length);
}

bool
introduce_xclient(struct transaction *self, const struct record *record)
{
	static PAGED struct xclient xclient;

	if (!sequence_allows_verb(self, "XCLIENT") ||
	    !xclient_parse(record->first, record->first_length, &xclient))
		return false;
	if (!known.proxied)
		known.proxy = *self->peer;
	known.proxied = true;
	set_peer(self->peer, &xclient);
	set_session(&self->session, &xclient);
	journal_connect(self->peer, &known.proxy);
	welcome(self, self->session.mechanism != NULL);
	return true;
}
