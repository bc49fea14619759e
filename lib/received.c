#include "received.h"

#include <stdbool.h>
#include <string.h>

#include "date.h"
#include "text.h"

/* The client's name as a domain or address literal could be spelt: it may
 * open no comment and end no clause. */
static void
clean_name(const struct session *session, char *out)
{
	const char *name = session->helo->text + session->helo->name_length;
	size_t length = session->helo->length - session->helo->name_length;

	for (size_t i = 0; i < length; i++) {
		bool good = text_is_letter(name[i]) || text_is_digit(name[i]) ||
			    strchr(".-_:[]", name[i]);

		out[i] = good ? name[i] : '?';
	}
	out[length] = '\0';
}

/* LF to CRLF, in place. */
static size_t
to_crlf(char *text, size_t length, size_t newlines)
{
	char *to = text + length + newlines;

	for (const char *from = text + length; from > text;) {
		*--to = *--from;
		if (*from == '\n')
			*--to = '\r';
	}
	return length + newlines;
}

/* The line being worded; what can come of a session fits. */
struct text {
	char *at;
	const char *end;
};

static void
put(struct text *to, const char *text)
{
	size_t length = strlen(text);

	if (length > (size_t)(to->end - to->at))
		__builtin_trap();
	memcpy(to->at, text, length);
	to->at += length;
}

static void
put_peer(struct text *to, const struct peer *peer)
{
	if (peer->kind != PEER_TCP)
		return;
	put(to, strchr(peer->remote_ip, ':') ? " ([IPv6:" : " ([");
	put(to, peer->remote_ip);
	put(to, "])");
}

size_t
received_line(const struct session *session, const struct envelope *envelope,
    int64_t now, bool crlf, char out[RECEIVED_MAX])
{
	char name[ENVELOPE_VALUE_MAX + 1], date[DATE_TEXT_MAX];
	const char *recipient = envelope_only_recipient(envelope);
	struct text text = {out, out + RECEIVED_MAX - 5};

	clean_name(session, name);
	(void)date_rfc5322(now, date); /* its length is not needed */
	put(&text, "Received: from ");
	put(&text, name);
	put_peer(&text, session->peer);
	put(&text, "\n\tby ");
	put(&text, session->hostname);
	put(&text, " with ");
	put(&text, session_protocol(session, envelope));
	put(&text, " id ");
	put(&text, session->id);
	if (recipient) {
		put(&text, "\n\tfor <");
		put(&text, recipient);
		put(&text, ">");
	}
	put(&text, ";\n\t");
	put(&text, date);
	put(&text, "\n");
	return crlf ? to_crlf(out, (size_t)(text.at - out), recipient ? 4 : 3)
		    : (size_t)(text.at - out);
}
