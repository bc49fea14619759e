#include "sasl.h"

#include <string.h>

#include "base64.h"
#include "text.h"

/* Octets of an MD5 digest as RFC 2195 has it. */
enum { DIGEST = 32 };

bool
sasl_user_valid(const char *text, size_t length)
{
	return length > 0 && length <= SASL_USER_MAX &&
	       text_is_clean(text, length);
}

static bool
set_user(struct sasl *sasl, const char *text, size_t length)
{
	if (!sasl_user_valid(text, length))
		return false;
	memcpy(sasl->user, text, length);
	sasl->user_length = length;
	return true;
}

static enum sasl_step
done(struct sasl *sasl, const char *password, size_t length)
{
	sasl->password = password;
	sasl->password_length = length;
	return SASL_DONE;
}

/* [authzid] NUL authcid NUL passwd (RFC 4616 2) */
static enum sasl_step
take_plain(struct sasl *sasl, const char *text, size_t length)
{
	const char *end = text + length;
	const char *user = memchr(text, '\0', length), *password;
	size_t identity, n;

	if (!user)
		return SASL_REFUSED;
	identity = (size_t)(user++ - text);
	password = memchr(user, '\0', (size_t)(end - user));
	if (!password)
		return SASL_REFUSED;
	n = (size_t)(password++ - user);
	if (memchr(password, '\0', (size_t)(end - password)))
		return SASL_REFUSED;
	if (identity > 0 && (identity != n || memcmp(text, user, n) != 0))
		return SASL_REFUSED;
	if (!set_user(sasl, user, n))
		return SASL_REFUSED;
	return done(sasl, password, (size_t)(end - password));
}

static enum sasl_step
take_login(struct sasl *sasl, const char *text, size_t length)
{
	if (sasl->user_length == 0)
		return set_user(sasl, text, length) ? SASL_ASK : SASL_REFUSED;
	if (memchr(text, '\0', length))
		return SASL_REFUSED;
	return done(sasl, text, length);
}

/* User, space, digest (RFC 2195 2); a user may have spaces. */
static enum sasl_step
take_cram_md5(struct sasl *sasl, const char *text, size_t length)
{
	const char *digest;

	if (length < DIGEST + 1 || text[length - DIGEST - 1] != ' ')
		return SASL_REFUSED;
	digest = text + length - DIGEST;
	for (size_t i = 0; i < DIGEST; i++) {
		char c = text_lower(digest[i]);
		if (!text_is_digit(c) && (c < 'a' || c > 'f'))
			return SASL_REFUSED;
	}
	if (!set_user(sasl, text, length - DIGEST - 1))
		return SASL_REFUSED;
	return done(sasl, digest, DIGEST);
}

static const struct {
	const char *name;
	bool initial; /* the client begins, or may */
	enum sasl_step (*take)(
	    struct sasl *sasl, const char *text, size_t length);
} mechanisms[] = {
    [SASL_PLAIN] = {"PLAIN", true, take_plain},
    [SASL_LOGIN] = {"LOGIN", true, take_login},
    [SASL_CRAM_MD5] = {"CRAM-MD5", false, take_cram_md5},
};

enum sasl_mechanism
sasl_mechanism(const char *text, size_t length)
{
	static const enum sasl_mechanism all[] = {
	    SASL_PLAIN, SASL_LOGIN, SASL_CRAM_MD5};

	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		const char *name = mechanisms[all[i]].name;
		if (text_same(text, length, name, strlen(name)))
			return all[i];
	}
	return SASL_UNKNOWN;
}

void
sasl_begin(struct sasl *sasl, enum sasl_mechanism mechanism)
{
	if (mechanism == SASL_UNKNOWN)
		__builtin_trap();
	memset(sasl, 0, sizeof *sasl);
	sasl->mechanism = mechanism;
}

const char *
sasl_ask(const struct sasl *sasl)
{
	if (sasl->mechanism == SASL_PLAIN)
		return SASL_ASK_PLAIN;
	if (sasl->mechanism == SASL_CRAM_MD5)
		return NULL;
	return sasl->user_length == 0 ? SASL_ASK_USER : SASL_ASK_PASSWORD;
}

static enum sasl_step
take_base64(struct sasl *sasl, char *text, size_t length)
{
	size_t decoded;

	if (!base64_decode(text, length, text, &decoded))
		return SASL_UNDECODABLE;
	return mechanisms[sasl->mechanism].take(sasl, text, decoded);
}

enum sasl_step
sasl_initial(struct sasl *sasl, char *text, size_t length)
{
	if (!mechanisms[sasl->mechanism].initial)
		return SASL_NO_INITIAL;
	if (length == 1 && *text == '=')
		return take_base64(sasl, text, 0);
	return take_base64(sasl, text, length);
}

enum sasl_step
sasl_response(struct sasl *sasl, char *text, size_t length)
{
	if (length == 1 && *text == '*')
		return SASL_CANCELLED;
	return take_base64(sasl, text, length);
}

void
sasl_wipe(void *secret, size_t length)
{
	volatile char *octets = secret;

	while (length-- > 0)
		*octets++ = 0;
}
