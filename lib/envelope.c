#include "envelope.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "address.h"
#include "command.h"
#include "line.h"
#include "number.h"
#include "paged.h"
#include "param.h"
#include "text.h"

/* What smtpd sets, or could: none of it may come from a launcher. */
static const char *const ours[] = {"SENDER", "RECIPIENTS", "RECIPIENT",
    "SMTP_MAIL_OPTIONS", "SMTP_RCPT_OPTIONS", "SMTP_HELO", "SMTP_PROTOCOL",
    "SMTP_SIZE", "SMTP_BODY", "SMTP_UTF8", "SMTP_SESSION", "SMTP_HOSTNAME",
    "SMTP_AUTH_USER", "SMTP_AUTH_MECHANISM", "SMTP_TLS", "SMTP_VERB",
    "SMTP_ARGUMENT", "PROTO", "TCPREMOTEIP", "TCPREMOTEPORT", "TCPLOCALIP",
    "TCPLOCALPORT", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES",
    "NOTIFY_SOCKET"};

/* Words about a connection, which in a listener's own environment speak of
 * none; and those of them about the peer. */
static const char *const launchers[] = {"SSL_PROTOCOL", "TCPREMOTEHOST",
    "TCPREMOTEINFO", "TCPLOCALHOST", "RELAYCLIENT", "REMOTE_ADDR",
    "REMOTE_PORT", "REMOTE_HOST", "SOCAT_PEERADDR", "SOCAT_PEERPORT"};
#define OF_PEER 1 /* from here on */

static bool
named(const char *variable, const char *const *names, size_t count)
{
	size_t length = strcspn(variable, "=");

	for (size_t i = 0; i < count; i++)
		if (names[i][0] == variable[0] && strlen(names[i]) == length &&
		    memcmp(variable, names[i], length) == 0)
			return true;
	return false;
}

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

/* Variables of a launcher that take no memory of their own. */
#define FEW 160

/* The array being filled, and room for the strings that are made for it. */
static PAGED struct {
	char **variables; /* few, or as many as there have to be */
	size_t room;
	size_t count;
	size_t length;
	size_t inherited; /* so many are the launcher's; 0: to be found out */
	bool introduced;  /* as session had it then */
	char *few[FEW + VARIABLES_MAX + ENVELOPE_VARIABLES + 1];
	char text[8 * ENVELOPE_VALUE_MAX + LINE_MAX_OCTETS];
} made;

/* Room for so many of the launcher's. */
static bool
make_room(size_t count)
{
	size_t room = count + VARIABLES_MAX + ENVELOPE_VARIABLES + 1;
	char **more;

	if (!made.variables) {
		made.variables = made.few;
		made.room = sizeof made.few / sizeof *made.few;
	}
	if (room <= made.room)
		return true;
	more = malloc(room * sizeof *more);
	if (!more)
		return false;
	made.variables = more; /* environ does not grow */
	made.room = room;
	return true;
}

/* Whether a variable of the launcher's is for the command, too. */
static bool
is_inherited(const struct session *session, const char *variable)
{
	const size_t all = sizeof launchers / sizeof *launchers;

	return !named(variable, ours, sizeof ours / sizeof *ours) &&
	       (session->launched || !named(variable, launchers, all)) &&
	       (!session->introduced ||
		   !named(variable, launchers + OF_PEER, all - OF_PEER));
}

static void
add_text(const char *name, const char *value, size_t length)
{
	char *text = made.text + made.length;
	size_t name_length = strlen(name);

	if (name_length + length + 2 > sizeof made.text - made.length)
		__builtin_trap();
	made.variables[made.count++] = text;
	made.length += name_length + length + 2;
	memcpy(text, name, name_length);
	text += name_length;
	*text++ = '=';
	memcpy(text, value, length);
	text[length] = '\0';
}

static void
add(const char *name, const char *value)
{
	add_text(name, value, strlen(value));
}

static void
add_where_known(const char *name, const char *value)
{
	if (*value)
		add(name, value);
}

static void
add_peer(const struct peer *peer)
{
	if (peer->kind == PEER_UNIX)
		add("PROTO", "UNIX");
	if (peer->kind != PEER_TCP)
		return;
	add("PROTO", "TCP");
	add_where_known("TCPREMOTEIP", peer->remote_ip);
	add_where_known("TCPREMOTEPORT", peer->remote_port);
	add_where_known("TCPLOCALIP", peer->local_ip);
	add_where_known("TCPLOCALPORT", peer->local_port);
}

/* What a launcher's are stays for the next message. */
static void
add_inherited(const struct session *session, const struct variables *set)
{
	static char path[] = "PATH=" COMMAND_PATH_DEFAULT;
	bool has_path = false;

	for (char **variable = environ; *variable; variable++) {
		has_path = has_path || strncmp(*variable, "PATH=", 5) == 0;
		if (is_inherited(session, *variable) &&
		    (!set || !variables_find(set, *variable)))
			made.variables[made.count++] = *variable;
	}
	if (!has_path && (!set || !variables_find(set, path)))
		made.variables[made.count++] = path;
	made.inherited = set ? 0 : made.count;
	made.introduced = session->introduced;
}

/* Variables that hooks have set take the place of a launcher's. */
static bool
begin(const struct session *session)
{
	const struct variables *set = session->variables;
	size_t count = 0;

	made.count = made.length = 0; /* written to before it is read */
	if (!set && made.inherited > 0 &&
	    made.introduced == session->introduced) {
		made.count = made.inherited;
		return true;
	}
	while (environ[count])
		count++;
	if (!make_room(count + 1))
		return false;
	add_inherited(session, set);
	for (size_t i = 0; set && i < set->count; i++)
		made.variables[made.count++] = (char *)set->text + set->at[i];
	return true;
}

static void
add_session(const struct session *session, const struct envelope *envelope)
{
	if (session->greeted)
		made.variables[made.count++] = (char *)session->helo->text;
	add("SMTP_PROTOCOL", session_protocol(session, envelope));
	add("SMTP_SESSION", session->id);
	add("SMTP_HOSTNAME", session->hostname);
	if (session->secure)
		add("SMTP_TLS", session->tls);
	if (session->mechanism) {
		made.variables[made.count++] = (char *)session->user->text;
		add("SMTP_AUTH_MECHANISM", session->mechanism);
	}
	add_peer(session->peer);
	add_where_known("TCPREMOTEHOST", session->host);
}

static void
add_sender(const struct envelope *envelope)
{
	made.variables[made.count++] = (char *)envelope->sender->text;
	made.variables[made.count++] = (char *)envelope->mail_options->text;
	add("SMTP_BODY", envelope->body);
	if (envelope->utf8)
		add("SMTP_UTF8", "1");
}

static void
add_recipients(const struct envelope *envelope)
{
	made.variables[made.count++] = (char *)envelope->recipients->text;
	if (envelope->has_rcpt_options)
		made.variables[made.count++] =
		    (char *)envelope->rcpt_options->text;
}

char **
envelope_environment(const struct session *session,
    const struct envelope *envelope, uint64_t size)
{
	char number[NUMBER_TEXT_MAX];

	if (!begin(session))
		return NULL;
	add_session(session, envelope);
	add_sender(envelope);
	add_recipients(envelope);
	if (envelope->count == 1)
		add("RECIPIENT", envelope_only_recipient(envelope));
	add_text("SMTP_SIZE", number, number_format(size, number));
	made.variables[made.count] = NULL;
	return made.variables;
}

char **
envelope_step_environment(const struct session *session,
    const struct envelope *envelope, const struct step *step)
{
	if (!begin(session))
		return NULL;
	add_session(session, envelope);
	if (envelope->has_sender)
		add_sender(envelope);
	if (envelope->count > 0)
		add_recipients(envelope);
	if (step->candidate)
		add_text("RECIPIENT", step->candidate, step->candidate_length);
	else if (envelope->count == 1)
		add("RECIPIENT", envelope_only_recipient(envelope));
	add("SMTP_VERB", step->verb);
	add("SMTP_ARGUMENT", step->argument);
	made.variables[made.count] = NULL;
	return made.variables;
}
