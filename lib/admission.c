#include "admission.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "base64.h"
#include "checker.h"
#include "consult.h"
#include "decision.h"
#include "export.h"
#include "log.h"
#include "mechanism.h"
#include "paged.h"
#include "sasl.h"
#include "sequence.h"
#include "text.h"

/* The exchange of a mechanism that a hook knows. */
static PAGED struct mechanism talking;
static struct {
	const struct hook *hook; /* NULL: none is going on */
	struct mechanism *mechanism;
} exchange = {.mechanism = &talking};

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

	if (!sequence_allows_verb(self, "STARTTLS") ||
	    (!self->tls && hooks_find(&settings->hooks, "STARTTLS", 8)) ||
	    starttls_says_reply(starttls) != (record->first_length > 0) ||
	    record->first_length > REPLY_MAX)
		return false;
	starttls->hasty = record->number != 0;
	good = starttls_begin(starttls, record->first, record->first_length,
	    settings->timeout, session->tls);
	if (good) {
		session->secure = true;
		session->greeted = session->extended = false;
		/* What the client has said of itself is forgotten. */
		variables_drop(session_variables(session), false);
		self->moved = starttls->kind == STARTTLS_UCSPI;
	}
	/* Once: its descriptors may be others' now. */
	starttls->kind = STARTTLS_NONE;
	answer(self, NULL, 0, good ? RECORD_IS_GOOD : 0);
	return true;
}

/* The environment of checkers and mechanisms. */
static char **
environment(struct transaction *self, const char *mechanism)
{
	return export_step(&self->session, &self->envelope,
	    &(struct step){.verb = "AUTH", .argument = mechanism});
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

/* Behind so many errors a sound dialogue lets nobody guess on. */
static bool
may_guess(const struct transaction *self)
{
	size_t most = self->settings->smtp.errors_max;

	return most == 0 || self->logins_refused < most;
}

/* A login is over: reply says in what way. */
static bool
conclude(struct transaction *self, const char *mechanism, const char *user,
    size_t user_length, const char *reply, size_t length)
{
	static PAGED struct advice advice;
	char text[REPLY_MAX + 1];
	char command[HOOKS_NAME_MAX + 6];
	bool good = length > 3 && memcmp(reply, "235", 3) == 0;

	if (good) {
		session_user(&self->session, mechanism, user, user_length);
		ask_hook(self, mechanism, &advice);
		self->stopped = advice.stopped;
		self->ended = advice_ends(&advice);
		if (advice_refuses(&advice) || self->ended || advice.stopped) {
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
	self->logins_refused++;
	(void)snprintf(command, sizeof command, "AUTH %s", mechanism);
	memcpy(text, reply, length);
	text[length] = '\0';
	decision_refused(self, command, text);
	return true;
}

/* The hook that knows a mechanism, NULL if none does. */
static const struct hook *
hook_of(const struct transaction *self, const char *mechanism, size_t length)
{
	char name[HOOKS_NAME_MAX + 1] = HOOKS_AUTH;
	size_t prefix = strlen(HOOKS_AUTH);

	if (length == 0 || length > HOOKS_NAME_MAX - prefix)
		return NULL;
	memcpy(name + prefix, mechanism, length);
	return hooks_find(&self->settings->hooks, name, prefix + length);
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
	enum sasl_mechanism mechanism = (enum sasl_mechanism)record->number;
	bool cram = record->number == SASL_CRAM_MD5;
	char now[24];
	struct checker_fields fields = {
	    .text = {record->first, record->second, now},
	    .length = {record->first_length, record->second_length, 0},
	};
	const char *reply;

	if (!settings->checker || !sequence_allows_verb(self, "AUTH") ||
	    !may_guess(self) || record->number < SASL_PLAIN ||
	    record->number > SASL_CRAM_MD5 ||
	    hook_of(self, names[mechanism], strlen(names[mechanism])) ||
	    !sasl_user_valid(record->first, record->first_length) ||
	    exchange.hook || cram != (self->challenge[0] != '\0'))
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
	    environment(self, names[mechanism]), &fields);
	self->challenge[0] = '\0';
	if (!reply) {
		self->stopped = true;
		return true;
	}
	return conclude(self, names[mechanism], record->first,
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
	    exchange.mechanism->user, exchange.mechanism->user_length,
	    said->text, said->length);
}

/* One line for the hook, and no more. */
static bool
is_base64(const char *text, size_t length)
{
	return length <= SASL_LINE_MAX && base64_valid(text, length);
}

static bool
is_initial(const struct record *record)
{
	return (record->second_length == 1 && *record->second == '=') ||
	       is_base64(record->second, record->second_length);
}

bool
admit_challenge(struct transaction *self, const struct record *record)
{
	static PAGED struct mechanism_said said;
	char *arguments[2] = {NULL};
	struct command command = {.arguments = arguments};
	struct runnable runnable = {
	    .command = &command,
	    .timeout = self->settings->command_timeout,
	};
	size_t prefix = strlen(HOOKS_AUTH);

	if (!sequence_allows_verb(self, "AUTH") || !may_guess(self) ||
	    !is_initial(record))
		return false;
	exchange.hook = hook_of(self, record->first, record->first_length);
	if (!exchange.hook)
		return record->second_length == 0 &&
		       text_same(record->first, record->first_length,
			   "CRAM-MD5", 8) &&
		       challenge_cram(self);
	if (!exchange.hook->usable) {
		exchange.hook = NULL;
		answer(
		    self, REPLY_MISCONFIGURED, strlen(REPLY_MISCONFIGURED), 0);
		return true;
	}
	arguments[0] = exchange.hook->path;
	command.path = exchange.hook->path;
	runnable.environment = environment(self, exchange.hook->name + prefix);
	return pass_on(self,
	    mechanism_begin(exchange.mechanism, &runnable, record->second,
		record->second_length, session_variables(&self->session),
		&said),
	    &said);
}

bool
admit_response(struct transaction *self, const struct record *record)
{
	static PAGED struct mechanism_said said;

	if (!exchange.hook || !is_base64(record->first, record->first_length))
		return false;
	return pass_on(self,
	    mechanism_answer(exchange.mechanism, record->first,
		record->first_length, session_variables(&self->session), &said),
	    &said);
}

bool
admission_open(const struct transaction *transaction)
{
	return exchange.hook || transaction->challenge[0];
}

void
admission_end(void)
{
	if (exchange.hook)
		mechanism_end(exchange.mechanism);
	exchange.hook = NULL;
}

bool
admit_cancel(struct transaction *self, const struct record *record)
{
	(void)record;
	self->logins_refused++;
	self->challenge[0] = '\0';
	admission_end();
	return true;
}
