#include "envelope.h"

#include <string.h>

#include "address.h"
#include "paged.h"
#include "param.h"
#include "text.h"

/* The texts: one session is all that a process has. */
static PAGED struct {
	struct value helo, sender, mail_options, user;
} values;
static PAGED struct list recipients, rcpt_options;
static PAGED struct variables variables;

static void
value_set(
    struct value *value, const char *name, const char *text, size_t length)
{
	if (length > ENVELOPE_VALUE_MAX)
		__builtin_trap();
	value->name_length = strlen(name);
	value->length = value->name_length + length;
	memcpy(value->text, name, value->name_length);
	if (length > 0)
		memcpy(value->text + value->name_length, text, length);
	value->text[value->length] = '\0';
}

static void
list_reset(struct list *list, const char *name)
{
	list->name_length = list->length = strlen(name);
	memcpy(list->text, name, list->length + 1);
}

/* The octets of its lines so far. */
static size_t
list_size(const struct list *list)
{
	return list->length - list->name_length;
}

static void
list_add(struct list *list, const char *text, size_t length, bool first)
{
	if (!first)
		list->text[list->length++] = '\n';
	if (length > 0)
		memcpy(list->text + list->length, text, length);
	list->length += length;
	list->text[list->length] = '\0';
}

void
session_begin(struct session *session, const char *id, const char *hostname,
    const struct peer *peer, bool launched)
{
	session->id = id;
	session->hostname = hostname;
	session->peer = peer;
	session->helo = &values.helo;
	session->user = &values.user;
	session->launched = launched;
}

void
session_introduce(struct session *session)
{
	session->introduced = true;
}

struct variables *
session_variables(struct session *session)
{
	session->variables = &variables;
	return &variables;
}

void
session_helo(
    struct session *session, bool extended, const char *name, size_t length)
{
	if (length > ENVELOPE_VALUE_MAX)
		length = ENVELOPE_VALUE_MAX;
	session->greeted = true;
	session->extended = extended;
	value_set(session->helo, "SMTP_HELO=", name, length);
	for (size_t i = session->helo->name_length; i < session->helo->length;
	     i++)
		if (!text_is_print(session->helo->text[i]))
			session->helo->text[i] = '?';
}

void
session_user(struct session *session, const char *mechanism, const char *user,
    size_t length)
{
	session->mechanism = mechanism;
	value_set(session->user, "SMTP_AUTH_USER=", user, length);
}

const char *
session_protocol(const struct session *session, const struct envelope *envelope)
{
	static char text[sizeof "UTF8SMTPSA"];
	const char *base = session->lmtp ? "LMTP" : "SMTP";
	const char *prefix = session->lmtp ? "" : "E";

	if (!session->extended && !envelope->utf8)
		return base;
	strcpy(text, envelope->utf8 ? "UTF8" : prefix);
	strcat(text, base);
	strcat(text, session->secure ? "S" : "");
	strcat(text, session->mechanism ? "A" : "");
	return text;
}

void
envelope_reset(struct envelope *envelope)
{
	*envelope = (struct envelope){
	    .body = "7BIT",
	    .sender = &values.sender,
	    .mail_options = &values.mail_options,
	    .recipients = &recipients,
	    .rcpt_options = &rcpt_options,
	};
}

static void
take_mail_param(
    struct envelope *envelope, const struct param *param, bool utf8_offered)
{
	if (param_is(param, "SMTPUTF8") && utf8_offered)
		envelope->utf8 = true;
	else if (param_is(param, "BODY") &&
		 text_same(param->value, param->value_length, "8BITMIME", 8))
		envelope->body = "8BITMIME";
	else if (param_is(param, "BODY") &&
		 text_same(param->value, param->value_length, "BINARYMIME", 10))
		envelope->body = "BINARYMIME";
}

/* True if text[0..length) is what param_normalize() makes. */
static bool
params_good(const char *params, size_t length)
{
	struct param param;
	size_t at = 0;
	enum param_found found;

	do {
		found = param_next(params, length, true, &at, &param);
	} while (found == PARAM_FOUND);
	return found == PARAM_END && length <= ENVELOPE_VALUE_MAX;
}

bool
envelope_sender(struct envelope *envelope, const char *address,
    size_t address_length, const char *params, size_t params_length,
    bool utf8_offered)
{
	struct address parsed = {0};
	struct param param;
	size_t at = 0;

	if (envelope->has_sender || address_length > ENVELOPE_VALUE_MAX ||
	    !params_good(params, params_length))
		return false;
	while (
	    param_next(params, params_length, true, &at, &param) == PARAM_FOUND)
		take_mail_param(envelope, &param, utf8_offered);
	if (address_length > 0 &&
	    address_parse(address, address_length, envelope->utf8, &parsed) !=
		address_length)
		return false;
	value_set(envelope->sender, "SENDER=", address, address_length);
	value_set(envelope->mail_options, "SMTP_MAIL_OPTIONS=", params,
	    params_length);
	envelope->has_sender = true;
	return true;
}

/* Until one has options the list of them, empty lines, is not written. */
static void
add_options(struct envelope *envelope, const char *params, size_t length)
{
	struct list *list = envelope->rcpt_options;

	if (!envelope->has_rcpt_options && length == 0)
		return;
	if (!envelope->has_rcpt_options) {
		list_reset(list, "SMTP_RCPT_OPTIONS=");
		for (size_t i = 0; i < envelope->count; i++)
			list_add(list, "", 0, i == 0);
	}
	envelope->has_rcpt_options = true;
	list_add(list, params, length, envelope->count == 0);
}

bool
envelope_takes(const struct envelope *envelope, size_t address_length,
    const char *params, size_t params_length)
{
	size_t newline = envelope->count > 0, size = 0, options = 0;

	if (envelope->count > 0) {
		size = list_size(envelope->recipients);
		options = envelope->has_rcpt_options
			      ? list_size(envelope->rcpt_options)
			      : envelope->count - 1;
	}
	return envelope->has_sender && address_length <= ENVELOPE_VALUE_MAX &&
	       params_good(params, params_length) &&
	       size + newline + address_length <= ENVELOPE_LIST_MAX &&
	       options + newline + params_length <= ENVELOPE_LIST_MAX;
}

bool
envelope_recipient(struct envelope *envelope, const char *address,
    size_t address_length, const char *params, size_t params_length)
{
	if (!envelope_takes(envelope, address_length, params, params_length))
		return false;
	if (envelope->count == 0)
		list_reset(envelope->recipients, "RECIPIENTS=");
	list_add(envelope->recipients, address, address_length,
	    envelope->count == 0);
	add_options(envelope, params, params_length);
	envelope->count++;
	return true;
}

const char *
envelope_only_recipient(const struct envelope *envelope)
{
	return envelope->count == 1 ? envelope->recipients->text +
					  envelope->recipients->name_length
				    : NULL;
}
