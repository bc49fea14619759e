#include "export.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "line.h"
#include "number.h"
#include "paged.h"

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

/* Variables of a launcher that take no memory of their own. */
#define FEW 160

/* Variables of ours. */
#define OURS_MAX 30

/* The array being filled, and room for the strings that are made for it. */
static PAGED struct {
	char **variables; /* few, or as many as there have to be */
	size_t room;
	size_t count;
	size_t length;
	size_t inherited; /* so many are the launcher's; 0: to be found out */
	bool introduced;  /* as session had it then */
	char *few[FEW + VARIABLES_MAX + OURS_MAX + 1];
	char text[8 * ENVELOPE_VALUE_MAX + LINE_MAX_OCTETS];
} made;

/* Room for so many of the launcher's. */
static bool
make_room(size_t count)
{
	size_t room = count + VARIABLES_MAX + OURS_MAX + 1;
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
export_message(const struct session *session, const struct envelope *envelope,
    uint64_t size)
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
export_step(const struct session *session, const struct envelope *envelope,
    const struct step *step)
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
