#include "received.h"

#include <stdbool.h>
#include <stdio.h>
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

size_t
received_line(const struct session *session, const struct envelope *envelope,
    int64_t now, bool crlf, char out[RECEIVED_MAX])
{
	char name[ENVELOPE_VALUE_MAX + 1], address[NETWORK_TEXT_MAX + 16] = "";
	char date[DATE_TEXT_MAX];
	const struct peer *peer = session->peer;
	const char *recipient = envelope_only_recipient(envelope);
	int n;

	clean_name(session, name);
	(void)date_rfc5322(now, date); /* its length is not needed */
	if (peer->kind == PEER_TCP)
		(void)snprintf(address, sizeof address, " ([%s%s])",
		    strchr(peer->remote_ip, ':') ? "IPv6:" : "",
		    peer->remote_ip);
	n = snprintf(out, RECEIVED_MAX,
	    "Received: from %s%s\n\tby %s with %s id %s%s%s%s;\n\t%s\n", name,
	    address, session->hostname, session_protocol(session, envelope),
	    session->id, recipient ? "\n\tfor <" : "",
	    recipient ? recipient : "", recipient ? ">" : "", date);
	if (n < 0 || n + 5 > RECEIVED_MAX)
		__builtin_trap();
	return crlf ? to_crlf(out, (size_t)n, recipient ? 4 : 3) : (size_t)n;
}
