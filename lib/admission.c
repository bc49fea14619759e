#include "admission.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "base64.h"
#include "checker.h"
#include "log.h"
#include "mechanism.h"
#include "sasl.h"
#include "text.h"

/* The exchange of a mechanism that a hook knows. */
static struct {
	const struct hook *hook; /* NULL: none is going on */
	struct mechanism mechanism;
} exchange;

static void
answer(
    struct transaction *self, const char *text, size_t length, unsigned number)
{
	transaction_answer(self, &(struct record){
				     .type = RECORD_REPLY,
				     .number = number,
				     .first = text,
				     .first_length = length,
				 });
}

bool
admit_starttls(struct transaction *self, const struct record *record)
{
	struct settings *settings = self->settings;
	struct starttls *starttls = &settings->starttls;
	struct session *session = &self->session;
	bool good;

	if (starttls->kind == STARTTLS_NONE || self->refused ||
	    session->secure || session->mechanism ||
	    self->envelope.has_sender ||
	    (!self->tls && hooks_find(&settings->hooks, "STARTTLS", 8)) ||
	    starttls_says_reply(starttls) != (record->first_length > 0) ||
	    record->first_length > REPLY_MAX)
		return false;
	good = starttls_begin(starttls, record->first, record->first_length,
	    settings->timeout, session->tls);
	if (good) {
		transaction_reset(self);
		session->secure = true;
		session->greeted = session->extended = false;
		/* What the client has said of itself is forgotten. */
		variables_drop(&session->variables, false);
		self->moved = starttls->kind == STARTTLS_UCSPI;
	}
	answer(self, NULL, 0, good ? RECORD_IS_GOOD : 0);
	return true;
}

/* The environment of checkers and mechanisms. */
static char **
environment(struct transaction *self, const char *mechanism)
{
	return envelope_step_environment(&self->session, &self->envelope,
	    &(struct step){.verb = "AUTH", .argument = mechanism});
}

/* True if a sound dialogue may speak of a login now. */
static bool
may_log_in(const struct transaction *self)
{
	const struct smtp_config *config = &self->settings->smtp;

	return !self->refused &&
	       (self->session.secure || config->auth_plaintext) &&
	       self->session.greeted && !self->session.mechanism &&
	       !self->envelope.has_sender;
}

/* Asks the hook AUTH about a login that is good so far. */
static void
ask_hook(struct transaction *self, const char *mechanism, struct advice *advice)
{
	struct consultation consultation = {
	    .hook = hooks_find(&self->settings->hooks, "AUTH", 4),
	    .timeout = self->settings->command_timeout,
	    .session = &self->session,
	    .envelope = &self->envelope,
	    .step = {.verb = "AUTH", .argument = mechanism},
	};

	advice->length = 0;
	advice->stopped = false;
	if (consultation.hook)
		consult(&consultation, advice);
}

/* A login is over: reply says in what way. */
static bool
conclude(struct transaction *self, const char *mechanism, const char *user,
    size_t user_length, const char *reply, size_t length)
{
	static struct advice advice;
	char text[REPLY_MAX + 1];
	char command[HOOKS_NAME_MAX + 6];
	bool good = length > 3 && memcmp(reply, "235", 3) == 0;

	if (good) {
		session_user(&self->session, mechanism, user, user_length);
		ask_hook(self, mechanism, &advice);
		self->stopped = advice.stopped;
		if (advice_refuses(&advice) || advice.stopped) {
			good = false;
			session_user(&self->session, NULL, "", 0);
			reply = advice.reply;
			length = advice.length;
		}
	}
	if (self->stopped)
		return true;
	if (good)
		self->settings->policy.trusted = true;
	answer(self, reply, length, good ? RECORD_IS_GOOD : 0);
	if (good)
		return true;
	(void)snprintf(command, sizeof command, "AUTH %s", mechanism);
	memcpy(text, reply, length);
	text[length] = '\0';
	transaction_refused(self, command, text);
	return true;
}

bool
admit_login(struct transaction *self, const struct record *record)
{
	static const char *const names[] = {
	    [SASL_PLAIN] = "PLAIN",
	    [SASL_LOGIN] = "LOGIN",
	    [SASL_CRAM_MD5] = "CRAM-MD5",
	};
	const struct settings *settings = self->settings;
	bool cram = record->number == SASL_CRAM_MD5;
	char now[24];
	struct checker_fields fields = {
	    .text = {record->first, record->second, now},
	    .length = {record->first_length, record->second_length, 0},
	};
	const char *reply;

	if (!settings->checker || !may_log_in(self) || exchange.hook ||
	    record->number < SASL_PLAIN || record->number > SASL_CRAM_MD5 ||
	    !sasl_user_valid(record->first, record->first_length) ||
	    (cram && (!settings->smtp.auth_cram || !self->challenge[0])))
		return false;
	(void)snprintf(now, sizeof now, "%lld", (long long)time(NULL));
	fields.length[2] = strlen(now);
	if (cram) {
		fields.text[1] = self->challenge;
		fields.length[1] = strlen(self->challenge);
		fields.text[2] = record->second;
		fields.length[2] = record->second_length;
	}
	reply = checker_ask(settings->checker, settings->command_timeout,
	    environment(self, names[record->number]), &fields);
	self->challenge[0] = '\0';
	if (!reply) {
		self->stopped = true;
		return true;
	}
	return conclude(self, names[record->number], record->first,
	    record->first_length, reply, strlen(reply));
}

/* RFC 2195 2: a text that nobody has been given before. */
static bool
make_challenge(struct transaction *self)
{
	unsigned char random[16];
	char text[2 * sizeof random + 1];

	if (getrandom(random, sizeof random, 0) != sizeof random)
		return false;
	for (size_t i = 0; i < sizeof random; i++)
		(void)snprintf(text + 2 * i, 3, "%02x", random[i]);
	(void)snprintf(self->challenge, sizeof self->challenge,
	    "<%s.%lld@%.64s>", text, (long long)time(NULL),
	    self->session.hostname);
	return true;
}

static bool
challenge_cram(struct transaction *self)
{
	struct base64_encoder encoder = {0};
	char text[BASE64_ENCODED_MAX(sizeof self->challenge + 2)];
	size_t length;

	if (!self->settings->checker || !self->settings->smtp.auth_cram)
		return false;
	if (!make_challenge(self)) {
		answer(self, REPLY_LOGIN_FAILED, strlen(REPLY_LOGIN_FAILED), 0);
		return true;
	}
	length = base64_encode(
	    &encoder, self->challenge, strlen(self->challenge), text);
	length += base64_encode_end(&encoder, text + length);
	answer(self, text, length, RECORD_IS_CHALLENGE);
	return true;
}

/* What the mechanism of a hook has said. */
static bool
pass_on(struct transaction *self, enum mechanism_step step,
    const struct mechanism_said *said)
{
	const struct hook *hook = exchange.hook;

	if (step == MECHANISM_CHALLENGE) {
		answer(self, said->text, said->length, RECORD_IS_CHALLENGE);
		return true;
	}
	exchange.hook = NULL;
	self->stopped = step == MECHANISM_STOPPED;
	if (self->stopped)
		return true;
	if (said->wrong)
		log_error("hook %s %s", hook->path, said->wrong);
	return conclude(self, hook->name + strlen(HOOKS_AUTH),
	    exchange.mechanism.user, exchange.mechanism.user_length, said->text,
	    said->length);
}

/* What a hook is to read is one line. */
static bool
is_line(const char *text, size_t length)
{
	return length <= SASL_LINE_MAX && base64_valid(text, length);
}

bool
admit_challenge(struct transaction *self, const struct record *record)
{
	static struct mechanism_said said;
	char name[HOOKS_NAME_MAX + 1] = HOOKS_AUTH;
	char *arguments[2] = {NULL};
	struct command command = {.arguments = arguments};
	struct runnable runnable = {
	    .command = &command,
	    .timeout = self->settings->command_timeout,
	};
	size_t prefix = strlen(HOOKS_AUTH);

	if (!may_log_in(self) || exchange.hook ||
	    record->first_length > HOOKS_NAME_MAX - prefix ||
	    (!text_same(record->second, record->second_length, "=", 1) &&
		!is_line(record->second, record->second_length)))
		return false;
	memcpy(name + prefix, record->first, record->first_length);
	exchange.hook = hooks_find(
	    &self->settings->hooks, name, prefix + record->first_length);
	if (!exchange.hook)
		return text_same(record->first, record->first_length,
			   "CRAM-MD5", 8) &&
		       challenge_cram(self);
	if (!exchange.hook->usable ||
	    strlen(exchange.hook->path) >= sizeof command.path) {
		exchange.hook = NULL;
		answer(
		    self, REPLY_MISCONFIGURED, strlen(REPLY_MISCONFIGURED), 0);
		return true;
	}
	arguments[0] = exchange.hook->path;
	strcpy(command.path, exchange.hook->path);
	runnable.environment = environment(self, exchange.hook->name + prefix);
	return pass_on(self,
	    mechanism_begin(&exchange.mechanism, &runnable, record->second,
		record->second_length, &self->session.variables, &said),
	    &said);
}

bool
admit_response(struct transaction *self, const struct record *record)
{
	static struct mechanism_said said;

	if (!may_log_in(self) || !exchange.hook ||
	    !is_line(record->first, record->first_length))
		return false;
	return pass_on(self,
	    mechanism_answer(&exchange.mechanism, record->first,
		record->first_length, &self->session.variables, &said),
	    &said);
}

void
admission_end(void)
{
	if (exchange.hook)
		mechanism_end(&exchange.mechanism);
	exchange.hook = NULL;
}

bool
admit_cancel(struct transaction *self, const struct record *record)
{
	(void)record;
	self->challenge[0] = '\0';
	admission_end();
	return true;
}
