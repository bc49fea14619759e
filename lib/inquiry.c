#include "inquiry.h"

#include <string.h>

#include "clean.h"
#include "environment.h"
#include "number.h"
#include "text.h"

static const struct {
	const char *verb, *state;
} states[] = {
    {"CONNECT", "CONNECT"},
    {"HELO", "HELO"},
    {"EHLO", "EHLO"},
    {"LHLO", "EHLO"},
    {"MAIL", "MAIL"},
    {"RCPT", "RCPT"},
    {"DATA", "DATA"},
    {"BDAT", "DATA"},
    {"VRFY", "VRFY"},
    {"ETRN", "ETRN"},
};

static const char end_of_message[] = "END-OF-MESSAGE";

const char *
inquiry_state(void)
{
	struct piece verb = environment_value("SMTP_VERB");

	if (!verb.text)
		return end_of_message;
	for (size_t i = 0; i < sizeof states / sizeof *states; i++)
		if (text_same(verb.text, verb.length, states[i].verb,
			strlen(states[i].verb)))
			return states[i].state;
	return NULL;
}

static struct piece
piece(const char *text)
{
	return (struct piece){.text = text, .length = strlen(text)};
}

static void
put(struct inquiry *inquiry, struct piece piece)
{
	size_t room = sizeof inquiry->text - inquiry->length;

	/* Each octet is one at most once it is clean. */
	if (piece.length > room) {
		inquiry->cut = true;
		return;
	}
	inquiry->length += clean(piece.text, piece.length, true,
	    inquiry->text + inquiry->length, room);
}

static void
put_octet(struct inquiry *inquiry, char octet)
{
	inquiry->cut = inquiry->cut || inquiry->length == sizeof inquiry->text;
	if (!inquiry->cut)
		inquiry->text[inquiry->length++] = octet;
}

static void
attribute(struct inquiry *inquiry, const char *name, struct piece value)
{
	put(inquiry, piece(name));
	put_octet(inquiry, '=');
	if (value.text)
		put(inquiry, value);
	put_octet(inquiry, '\n');
}

static void
attribute_number(struct inquiry *inquiry, const char *name, uint64_t number)
{
	char text[NUMBER_TEXT_MAX];

	attribute(
	    inquiry, name, (struct piece){text, number_format(number, text)});
}

/* What Postfix says of a client: on a Unix socket it is this machine. Of one
 * that nobody knows the address is left out, as the protocol allows: postgrey
 * dies of Postfix's "unknown". */
static void
put_client(struct inquiry *inquiry, bool name_verified)
{
	struct piece proto = environment_value("PROTO");
	bool local = text_same(proto.text, proto.length, "UNIX", 4);
	struct piece unknown = piece(local ? "localhost" : "unknown");
	struct piece address = environment_value("TCPREMOTEIP");
	struct piece name = environment_value("TCPREMOTEHOST");

	if (address.length == 0 && local)
		address = piece("127.0.0.1");
	if (name.length == 0)
		name = unknown;
	if (address.length > 0)
		attribute(inquiry, "client_address", address);
	attribute(inquiry, "client_port", environment_value("TCPREMOTEPORT"));
	attribute(inquiry, "client_name", name_verified ? name : unknown);
	attribute(inquiry, "reverse_client_name", name);
	attribute(inquiry, "server_address", environment_value("TCPLOCALIP"));
	attribute(inquiry, "server_port", environment_value("TCPLOCALPORT"));
}

/* Postfix has two names only; who said LHLO knows extensions. */
static struct piece
protocol(void)
{
	struct piece name = environment_value("SMTP_PROTOCOL");

	if (!name.text || text_same(name.text, name.length, "SMTP", 4))
		return piece("SMTP");
	return piece("ESMTP");
}

/* The name that is being given, or was. */
static struct piece
helo(const char *state)
{
	struct piece said = environment_value("SMTP_ARGUMENT"), word;

	if (strcmp(state, "EHLO") != 0 && strcmp(state, "HELO") != 0)
		return environment_value("SMTP_HELO");
	return piece_next_word(&said, &word) ? word : (struct piece){0};
}

static struct piece
about_whom(const char *state)
{
	return environment_value(
	    strcmp(state, "VRFY") == 0 ? "SMTP_ARGUMENT" : "RECIPIENT");
}

/* Declared, or, once it is there, real. */
static uint64_t
size(bool whole)
{
	struct piece words = environment_value("SMTP_MAIL_OPTIONS"), word;
	uint64_t size = 0;

	if (whole) {
		word = environment_value("SMTP_SIZE");
		(void)number_parse(word.text, word.length, UINT64_MAX, &size);
		return size;
	}
	while (piece_next_word(&words, &word))
		if (word.length > 5 && text_same(word.text, 5, "SIZE=", 5))
			(void)number_parse(word.text + 5, word.length - 5,
			    UINT64_MAX, &size); /* else none was */
	return size;
}

static void
put_envelope(struct inquiry *inquiry, const char *state)
{
	struct recipients all = environment_recipients();
	struct piece address, options;
	bool whole = strcmp(state, end_of_message) == 0;
	uint64_t count = 0;

	while (recipients_next(&all, &address, &options))
		count++;
	attribute(inquiry, "sender", environment_value("SENDER"));
	attribute(inquiry, "recipient", about_whom(state));
	attribute_number(inquiry, "recipient_count",
	    whole || strcmp(state, "DATA") == 0 ? count : 0);
	attribute_number(inquiry, "size", size(whole));
	attribute(inquiry, "etrn_domain",
	    strcmp(state, "ETRN") == 0 ? environment_value("SMTP_ARGUMENT")
				       : (struct piece){0});
}

/* SMTP_TLS is protocol and cipher, or 1 where nobody has said which. */
static void
put_security(struct inquiry *inquiry)
{
	struct piece words = environment_value("SMTP_TLS");
	struct piece version = {0}, cipher = {0};

	if (piece_next_word(&words, &version))
		(void)piece_next_word(&words, &cipher); /* or there is none */
	if (text_same(version.text, version.length, "1", 1))
		version = piece("TLS");
	attribute(
	    inquiry, "sasl_method", environment_value("SMTP_AUTH_MECHANISM"));
	attribute(
	    inquiry, "sasl_username", environment_value("SMTP_AUTH_USER"));
	attribute(inquiry, "encryption_protocol", version);
	attribute(inquiry, "encryption_cipher", cipher);
}

/* Those that Postfix always sends and that we never know; some servers take
 * their absence for an old Postfix. */
static void
put_absent(struct inquiry *inquiry)
{
	static const char *const names[] = {"sasl_sender", "ccert_subject",
	    "ccert_issuer", "ccert_fingerprint", "ccert_pubkey_fingerprint",
	    "stress"};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		attribute(inquiry, names[i], (struct piece){0});
	attribute_number(inquiry, "encryption_keysize", 0);
}

bool
inquiry_word(struct inquiry *inquiry, const char *state,
    const struct inquiry_about *about)
{
	inquiry->length = 0;
	inquiry->cut = false;
	attribute(inquiry, "request", piece("smtpd_access_policy"));
	attribute(inquiry, "protocol_state", piece(state));
	attribute(inquiry, "protocol_name", protocol());
	put_client(inquiry, about->name_verified);
	attribute(inquiry, "helo_name", helo(state));
	attribute(inquiry, "queue_id", environment_value("SMTP_SESSION"));
	attribute(inquiry, "instance", piece(about->instance));
	put_envelope(inquiry, state);
	put_security(inquiry);
	put_absent(inquiry);
	attribute(inquiry, "policy_context", piece(about->context));
	put_octet(inquiry, '\n');
	return !inquiry->cut;
}
