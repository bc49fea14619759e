#include "jsonmail.h"

#include <string.h>

#include "base64.h"
#include "date.h"
#include "environment.h"
#include "header.h"
#include "json.h"
#include "number.h"

/* Octets escaped or encoded at once. */
#define STRING_PIECE 1024

struct mail {
	struct intake *message;
	struct sink *sink;
	int64_t received;
	bool utf8; /* all of the message is UTF-8: strings can hold it */
};

/* The inside of a string while it is written. */
struct string {
	bool base64;
	struct utf8 utf8;
	struct base64_encoder encoder;
};

static void
put(struct mail *mail, const char *text)
{
	sink_write(mail->sink, text, strlen(text));
}

static void
string_add(
    struct mail *mail, struct string *string, const char *text, size_t length)
{
	/* Enough for base64, too. */
	char out[JSON_ESCAPED_MAX(STRING_PIECE)];

	while (length > 0) {
		size_t part = length < STRING_PIECE ? length : STRING_PIECE;
		size_t written =
		    string->base64
			? base64_encode(&string->encoder, text, part, out)
			: json_escape(&string->utf8, text, part, out);
		sink_write(mail->sink, out, written);
		text += part;
		length -= part;
	}
}

static void
string_end(struct mail *mail, struct string *string)
{
	char out[JSON_ESCAPED_MAX(0)];
	size_t written = string->base64
			     ? base64_encode_end(&string->encoder, out)
			     : json_escape_end(&string->utf8, out);

	sink_write(mail->sink, out, written);
	put(mail, "\"");
}

static void
put_string(struct mail *mail, struct piece piece)
{
	struct string string = {0};

	if (!piece.text) {
		put(mail, "null");
		return;
	}
	put(mail, "\"");
	string_add(mail, &string, piece.text, piece.length);
	string_end(mail, &string);
}

static void
put_number(struct mail *mail, uint64_t number)
{
	char digits[NUMBER_TEXT_MAX];

	sink_write(mail->sink, digits, number_format(number, digits));
}

static void
put_words(struct mail *mail, struct piece words)
{
	const char *separator = "[";
	struct piece word;

	for (; piece_next_word(&words, &word); separator = ",") {
		put(mail, separator);
		put_string(mail, word);
	}
	put(mail, *separator == '[' ? "[]" : "]");
}

/* The values of the members; variable is where one is found, if it is one. */

static void
put_variable(struct mail *mail, const char *variable)
{
	put_string(mail, environment_value(variable));
}

static void
put_variable_words(struct mail *mail, const char *variable)
{
	put_words(mail, environment_value(variable));
}

static void
put_port(struct mail *mail, const char *variable)
{
	struct piece text = environment_value(variable);
	uint64_t port;

	if (text.text && number_parse(text.text, text.length, 65535, &port))
		put_number(mail, port);
	else
		put(mail, "null");
}

static void
put_received(struct mail *mail, const char *variable)
{
	char date[DATE_TEXT_MAX];
	size_t length = date_rfc3339(mail->received, date);

	(void)variable;
	put_string(mail, (struct piece){date, length});
}

static void
put_recipients(struct mail *mail, const char *variable)
{
	struct recipients recipients = environment_recipients();
	struct piece address, options;
	const char *separator = "";

	(void)variable;
	put(mail, "[");
	for (; recipients_next(&recipients, &address, &options);
	     separator = ",") {
		put(mail, separator);
		put_string(mail, address);
	}
	put(mail, "]");
}

static void
put_recipient_options(struct mail *mail, const char *variable)
{
	struct recipients recipients = environment_recipients();
	struct piece address, options;
	const char *separator = "";

	(void)variable;
	put(mail, "[");
	for (; recipients_next(&recipients, &address, &options);
	     separator = ",") {
		put(mail, separator);
		put_words(mail, options);
	}
	put(mail, "]");
}

static void
put_size(struct mail *mail, const char *variable)
{
	(void)variable;
	put_number(mail, mail->message->size);
}

static void
put_headers(struct mail *mail, const char *variable)
{
	struct header header = {.message = mail->message};
	const char *separator = "";
	struct piece part;

	(void)variable;
	put(mail, "[");
	for (; sink_good(mail->sink) && header_next(&header, &part);
	     separator = ",") {
		struct string value = {.base64 = !mail->utf8};
		put(mail, separator);
		put(mail, "[");
		put_string(mail, part);
		put(mail, ",\"");
		while (header_value(&header, &part))
			string_add(mail, &value, part.text, part.length);
		string_end(mail, &value);
		put(mail, "]");
	}
	put(mail, "]");
}

static void
put_body(struct mail *mail, const char *variable)
{
	struct string string = {.base64 = !mail->utf8};
	const char *text;
	size_t length;

	(void)variable;
	put(mail, "\"");
	while (sink_good(mail->sink) &&
	       (length = intake_peek(mail->message, 1, &text)) > 0) {
		string_add(mail, &string, text, length);
		intake_use(mail->message, length);
	}
	string_end(mail, &string);
}

static void
put_encoding(struct mail *mail, const char *variable)
{
	(void)variable;
	put(mail, mail->utf8 ? "\"utf-8\"" : "\"base64\"");
}

/* In this order; the headers and the body are read off the message. */
static const struct {
	const char *key;
	void (*put)(struct mail *, const char *variable);
	const char *variable;
} members[] = {
    {"session", put_variable, "SMTP_SESSION"},
    {"received", put_received, NULL},
    {"peer", put_variable, "TCPREMOTEIP"},
    {"port", put_port, "TCPREMOTEPORT"},
    {"helo", put_variable, "SMTP_HELO"},
    {"protocol", put_variable, "SMTP_PROTOCOL"},
    {"sender", put_variable, "SENDER"},
    {"recipients", put_recipients, NULL},
    {"mail_options", put_variable_words, "SMTP_MAIL_OPTIONS"},
    {"rcpt_options", put_recipient_options, NULL},
    {"size", put_size, NULL},
    {"headers", put_headers, NULL},
    {"body", put_body, NULL},
    {"encoding", put_encoding, NULL},
};

/* True if the whole message is UTF-8. */
static bool
is_utf8(struct intake *message)
{
	struct utf8 utf8 = {0};
	bool good = true;
	const char *text;
	size_t length;

	while (good && (length = intake_peek(message, 1, &text)) > 0) {
		good = utf8_check(&utf8, text, length);
		intake_use(message, length);
	}
	intake_rewind(message);
	return good && utf8.count == 0;
}

void
jsonmail_write(struct intake *message, struct sink *sink, int64_t received)
{
	struct mail mail = {.message = message,
	    .sink = sink,
	    .received = received,
	    .utf8 = is_utf8(message)};
	const char *separator = "{";

	for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
		put(&mail, separator);
		put(&mail, "\"");
		put(&mail, members[i].key);
		put(&mail, "\":");
		members[i].put(&mail, members[i].variable);
		separator = ",";
	}
	put(&mail, "}\n");
}
