/* Units of what a client says to log in, and of decoding base64. */
#include "sasl.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base64.h"
#include "units.h"

static const struct {
	const char *text;
	size_t length;
	const char *octets; /* NULL: not decoded */
	size_t octets_length;
} codes[] = {
    {TEXT(""), TEXT("")},
    {TEXT("Zg=="), TEXT("f")},
    {TEXT("Zm8="), TEXT("fo")},
    {TEXT("Zm9v"), TEXT("foo")},
    {TEXT("Zm9vYmE="), TEXT("fooba")},
    {TEXT("+/+//g=="), TEXT("\xFB\xFF\xBF\xFE")},
    {TEXT("AAAA"), TEXT("\0\0\0")},
    /* Bits to spare. */
    {TEXT("Zh=="), TEXT("f")},
    {TEXT("Zm9="), TEXT("fo")},
    {TEXT("Z"), NULL, 0},
    {TEXT("Zg"), NULL, 0},
    {TEXT("Zg="), NULL, 0},
    {TEXT("Zm9vY"), NULL, 0},
    {TEXT("Zm9vYmF"), NULL, 0}, /* 4n + 3: CVE-2018-6789 Exim */
    {TEXT("="), NULL, 0},
    {TEXT("=="), NULL, 0},
    {TEXT("===="), NULL, 0},
    {TEXT("Z==="), NULL, 0},
    {TEXT("Zg==="), NULL, 0},
    {TEXT("Zg==Zg=="), NULL, 0},
    {TEXT("Zg=g"), NULL, 0},
    {TEXT("Z=g="), NULL, 0},
    {TEXT("=Zg="), NULL, 0},
    {TEXT("Zm 9v"), NULL, 0},
    {TEXT("Zm9v "), NULL, 0},
    {TEXT(" Zm9"), NULL, 0},
    {TEXT("Zm9v\r\n"), NULL, 0},
    {TEXT("Zm9\n"), NULL, 0},
    {TEXT("Zm9\0"), NULL, 0},
    {TEXT("Zm9-"), NULL, 0},
    {TEXT("Zm9_"), NULL, 0},
    {TEXT("Zm9\xC3"), NULL, 0},
    {TEXT("****"), NULL, 0},
};

static void
base64_is_read(void)
{
	for (size_t i = 0; i < ROWS(codes); i++) {
		char *copy = exactly(codes[i].text, codes[i].length);
		size_t n = 99;
		bool good = base64_decode(copy, codes[i].length, copy, &n);

		CHECK_AT(good == (codes[i].octets != NULL), i);
		CHECK_AT(!good || (n == codes[i].octets_length &&
				      memcmp(copy, codes[i].octets, n) == 0),
		    i);
		CHECK_AT(good || n == 99, i);
		free(copy);
	}
}

/* Writes octets as base64 with a NUL; returns its length. */
static size_t
encode(const char *octets, size_t length, char *out)
{
	struct base64_encoder encoder = {0};
	size_t n = base64_encode(&encoder, octets, length, out);

	n += base64_encode_end(&encoder, out + n);
	out[n] = '\0';
	return n;
}

static void
base64_there_and_back(void)
{
	char octets[48], out[BASE64_ENCODED_MAX(48) + 1];

	for (unsigned round = 0; round < 5000; round++) {
		size_t length = chance(sizeof octets + 1), n, decoded;
		char *copy, *room;

		for (size_t i = 0; i < length; i++)
			octets[i] = (char)chance(256);
		n = encode(octets, length, out);
		copy = exactly(out, n);
		room = exactly(out, n / 4 * 3);
		CHECK_AT(base64_decode(copy, n, room, &decoded), round);
		CHECK_AT(decoded == length, round);
		CHECK_AT(memcmp(room, octets, length) == 0, round);
		free(room);
		free(copy);
	}
}

#define DIGEST "b913a602c7eda7a495b4e6e7334d3890"

/* What a response that decodes to text does. */
static const struct {
	enum sasl_mechanism mechanism;
	const char *text;
	size_t length;
	enum sasl_step step;
	const char *user;
	const char *password;
} rows[] = {
    {SASL_PLAIN, TEXT("\0u\0p"), SASL_DONE, "u", "p"},
    {SASL_PLAIN, TEXT("u\0u\0p"), SASL_DONE, "u", "p"},
    {SASL_PLAIN, TEXT("\0tim\0tanstaaftanstaaf"), SASL_DONE, "tim",
	"tanstaaftanstaaf"},
    {SASL_PLAIN, TEXT("\0u@b c\0 \xFF\n"), SASL_DONE, "u@b c", " \xFF\n"},
    {SASL_PLAIN, TEXT("\0\xC3\xA4\0p"), SASL_DONE, "\xC3\xA4", "p"},
    {SASL_PLAIN, TEXT("\0u\0"), SASL_DONE, "u", ""},
    {SASL_PLAIN, TEXT("v\0u\0p"), SASL_REFUSED, NULL, NULL},
    {SASL_PLAIN, TEXT("uu\0u\0p"), SASL_REFUSED, NULL, NULL},
    {SASL_PLAIN, TEXT("u\0uu\0p"), SASL_REFUSED, NULL, NULL},
    {SASL_PLAIN, TEXT("U\0u\0p"), SASL_REFUSED, NULL, NULL},
    {SASL_PLAIN, TEXT("\0u\0p\0x"), SASL_REFUSED, NULL, NULL},
    {SASL_PLAIN, TEXT("\0u\0p\0"), SASL_REFUSED, NULL, NULL},
    {SASL_PLAIN, TEXT("\0\0p"), SASL_REFUSED, NULL, NULL},
    {SASL_PLAIN, TEXT("\0\0u\0p"), SASL_REFUSED, NULL, NULL},
    {SASL_PLAIN, TEXT("\0\0"), SASL_REFUSED, NULL, NULL},
    {SASL_PLAIN, TEXT("\0u"), SASL_REFUSED, NULL, NULL},
    {SASL_PLAIN, TEXT("\0"), SASL_REFUSED, NULL, NULL},
    {SASL_PLAIN, TEXT("u"), SASL_REFUSED, NULL, NULL},
    {SASL_PLAIN, TEXT(""), SASL_REFUSED, NULL, NULL},
    {SASL_PLAIN, TEXT("\0u\nv\0p"), SASL_REFUSED, NULL, NULL},
    {SASL_PLAIN, TEXT("\0u\r\0p"), SASL_REFUSED, NULL, NULL},
    {SASL_PLAIN, TEXT("\0u\x7F\0p"), SASL_REFUSED, NULL, NULL},
    {SASL_PLAIN, TEXT("\0u\xC2\x85\0p"), SASL_REFUSED, NULL, NULL},
    {SASL_PLAIN, TEXT("\0u\xFF\0p"), SASL_REFUSED, NULL, NULL},

    {SASL_LOGIN, TEXT("u"), SASL_ASK, "u", NULL},
    {SASL_LOGIN, TEXT(""), SASL_REFUSED, NULL, NULL},
    {SASL_LOGIN, TEXT("u\0"), SASL_REFUSED, NULL, NULL},
    {SASL_LOGIN, TEXT("\0u"), SASL_REFUSED, NULL, NULL},
    {SASL_LOGIN, TEXT("u\n"), SASL_REFUSED, NULL, NULL},

    {SASL_CRAM_MD5, TEXT("tim " DIGEST), SASL_DONE, "tim", DIGEST},
    {SASL_CRAM_MD5, TEXT("a b " DIGEST), SASL_DONE, "a b", DIGEST},
    {SASL_CRAM_MD5, TEXT("tim ABCDEF0123456789ABCDEF0123456789"), SASL_DONE,
	"tim", "ABCDEF0123456789ABCDEF0123456789"},
    {SASL_CRAM_MD5, TEXT(" " DIGEST), SASL_REFUSED, NULL, NULL},
    {SASL_CRAM_MD5, TEXT(DIGEST), SASL_REFUSED, NULL, NULL},
    {SASL_CRAM_MD5, TEXT("tim" DIGEST), SASL_REFUSED, NULL, NULL},
    {SASL_CRAM_MD5, TEXT("tim " DIGEST "0"), SASL_REFUSED, NULL, NULL},
    {SASL_CRAM_MD5, TEXT("tim " DIGEST " "), SASL_REFUSED, NULL, NULL},
    {SASL_CRAM_MD5, TEXT("tim b913a602c7eda7a495b4e6e7334d389"), SASL_REFUSED,
	NULL, NULL},
    {SASL_CRAM_MD5, TEXT("tim g913a602c7eda7a495b4e6e7334d3890"), SASL_REFUSED,
	NULL, NULL},
    {SASL_CRAM_MD5, TEXT("t\0m " DIGEST), SASL_REFUSED, NULL, NULL},
    {SASL_CRAM_MD5, TEXT("t\tm " DIGEST), SASL_REFUSED, NULL, NULL},
    {SASL_CRAM_MD5, TEXT("tim"), SASL_REFUSED, NULL, NULL},
    {SASL_CRAM_MD5, TEXT(""), SASL_REFUSED, NULL, NULL},
};

/* Takes text as base64, as initial response or not; the copy is to be freed. */
static enum sasl_step
take(struct sasl *sasl, const char *text, size_t length, bool initial,
    char **copy)
{
	char *code = malloc(BASE64_ENCODED_MAX(length) + 1);
	size_t n;

	if (!code)
		abort();
	n = encode(text, length, code);
	*copy = exactly(code, n);
	free(code);
	return initial ? sasl_initial(sasl, *copy, n)
		       : sasl_response(sasl, *copy, n);
}

static bool
is(const char *text, size_t length, const char *expected)
{
	return length == strlen(expected) &&
	       memcmp(text, expected, length) == 0;
}

static void
responses(void)
{
	struct sasl sasl;
	char *copy;

	for (size_t i = 0; i < 2 * ROWS(rows); i++) {
		size_t row = i / 2;
		bool initial = i % 2;
		enum sasl_step step, expected = rows[row].step;

		sasl_begin(&sasl, rows[row].mechanism);
		step = take(
		    &sasl, rows[row].text, rows[row].length, initial, &copy);
		if (initial && rows[row].mechanism == SASL_CRAM_MD5)
			expected = SASL_NO_INITIAL;
		CHECK_AT(step == expected, row);
		if (step == SASL_DONE || step == SASL_ASK)
			CHECK_AT(
			    is(sasl.user, sasl.user_length, rows[row].user),
			    row);
		if (step == SASL_DONE)
			CHECK_AT(is(sasl.password, sasl.password_length,
				     rows[row].password),
			    row);
		free(copy);
	}
}

static void
login_asks_twice(void)
{
	struct sasl sasl;
	char *copy;

	sasl_begin(&sasl, SASL_LOGIN);
	CHECK(strcmp(sasl_ask(&sasl), "334 VXNlcm5hbWU6") == 0);
	CHECK(take(&sasl, TEXT("jane"), false, &copy) == SASL_ASK);
	memset(copy, 'x', 8);
	free(copy);
	CHECK(strcmp(sasl_ask(&sasl), "334 UGFzc3dvcmQ6") == 0);
	CHECK(take(&sasl, TEXT("a b"), false, &copy) == SASL_DONE);
	CHECK(is(sasl.user, sasl.user_length, "jane"));
	CHECK(is(sasl.password, sasl.password_length, "a b"));
	free(copy);

	sasl_begin(&sasl, SASL_LOGIN);
	CHECK(take(&sasl, TEXT("jane"), true, &copy) == SASL_ASK);
	free(copy);
	CHECK(strcmp(sasl_ask(&sasl), SASL_ASK_PASSWORD) == 0);
	CHECK(take(&sasl, TEXT("p\0p"), false, &copy) == SASL_REFUSED);
	free(copy);

	sasl_begin(&sasl, SASL_PLAIN);
	CHECK(strcmp(sasl_ask(&sasl), "334 ") == 0);
	sasl_begin(&sasl, SASL_CRAM_MD5);
	CHECK(!sasl_ask(&sasl));
}

/* A line that is not made of base64. */
static enum sasl_step
say(enum sasl_mechanism mechanism, bool initial, const char *text)
{
	struct sasl sasl;
	char *copy = exactly(text, strlen(text));
	enum sasl_step step;

	sasl_begin(&sasl, mechanism);
	step = initial ? sasl_initial(&sasl, copy, strlen(text))
		       : sasl_response(&sasl, copy, strlen(text));
	free(copy);
	return step;
}

static void
other_lines(void)
{
	static const enum sasl_mechanism all[] = {
	    SASL_PLAIN, SASL_LOGIN, SASL_CRAM_MD5};

	for (size_t i = 0; i < ROWS(all); i++) {
		CHECK_AT(say(all[i], false, "*") == SASL_CANCELLED, i);
		CHECK_AT(say(all[i], false, "**") == SASL_UNDECODABLE, i);
		CHECK_AT(say(all[i], false, "=") == SASL_UNDECODABLE, i);
		CHECK_AT(say(all[i], false, "AHUAc") == SASL_UNDECODABLE, i);
		CHECK_AT(
		    say(all[i], false, "AHUA cA==") == SASL_UNDECODABLE, i);
		CHECK_AT(say(all[i], false, "") == SASL_REFUSED, i);
	}
	CHECK(say(SASL_PLAIN, true, "=") == SASL_REFUSED);
	CHECK(say(SASL_LOGIN, true, "=") == SASL_REFUSED);
	CHECK(say(SASL_PLAIN, true, "==") == SASL_UNDECODABLE);
	CHECK(say(SASL_PLAIN, true, "*") == SASL_UNDECODABLE);
	CHECK(say(SASL_CRAM_MD5, true, "=") == SASL_NO_INITIAL);
	CHECK(say(SASL_CRAM_MD5, true, "*") == SASL_NO_INITIAL);
}

static void
names(void)
{
	CHECK(sasl_mechanism("PLAIN", 5) == SASL_PLAIN);
	CHECK(sasl_mechanism("plain", 5) == SASL_PLAIN);
	CHECK(sasl_mechanism("Login", 5) == SASL_LOGIN);
	CHECK(sasl_mechanism("CRAM-md5", 8) == SASL_CRAM_MD5);
	CHECK(sasl_mechanism("PLAI", 4) == SASL_UNKNOWN);
	CHECK(sasl_mechanism("PLAINS", 6) == SASL_UNKNOWN);
	CHECK(sasl_mechanism("", 0) == SASL_UNKNOWN);
	CHECK(sasl_mechanism("DIGEST-MD5", 10) == SASL_UNKNOWN);
}

/* A PLAIN response with a user and a password of so many octets. */
static enum sasl_step
of_length(size_t user, size_t password)
{
	size_t length = user + password + 2;
	char *text = malloc(length), *copy;
	struct sasl sasl;
	enum sasl_step step;

	if (!text)
		abort();
	memset(text, 'x', length);
	text[0] = text[user + 1] = '\0';
	sasl_begin(&sasl, SASL_PLAIN);
	step = take(&sasl, text, length, true, &copy);
	CHECK(step != SASL_DONE || sasl.password_length == password);
	free(copy);
	free(text);
	return step;
}

static void
limits(void)
{
	char user[SASL_USER_MAX + 1];

	CHECK(of_length(SASL_USER_MAX, 1) == SASL_DONE);
	CHECK(of_length(SASL_USER_MAX + 1, 1) == SASL_REFUSED);
	CHECK(of_length(1, (SASL_LINE_MAX - 2) / 4 * 3 - 3) == SASL_DONE);
	memset(user, 'x', sizeof user);
	CHECK(sasl_user_valid(user, SASL_USER_MAX));
	CHECK(!sasl_user_valid(user, SASL_USER_MAX + 1));
	CHECK(!sasl_user_valid(user, 0));
}

static void
secrets_are_wiped(void)
{
	char secret[] = "xxsecretxx";

	sasl_wipe(secret + 2, 6);
	CHECK(memcmp(secret, "xx\0\0\0\0\0\0xx", 10) == 0);
}

/* Nothing is read beyond its end, and no user has a control character. */
static void
any_octets(void)
{
	static const char some[] = "\0\0\0 ab\n0\xC3";
	struct sasl sasl;

	for (unsigned round = 0; round < 50000; round++) {
		char text[64], *copy;
		size_t n = chance(sizeof text);
		enum sasl_step step;

		for (size_t i = 0; i < n; i++)
			text[i] = some[chance(sizeof some - 1)];
		sasl_begin(&sasl, (enum sasl_mechanism)(1 + chance(3)));
		step = take(&sasl, text, n, false, &copy);
		CHECK_AT(step == SASL_DONE || step == SASL_ASK ||
			     step == SASL_REFUSED,
		    round);
		if (step != SASL_REFUSED)
			CHECK_AT(!memchr(sasl.user, '\n', sasl.user_length) &&
				     !memchr(sasl.user, '\0', sasl.user_length),
			    round);
		if (step == SASL_DONE)
			CHECK_AT(
			    !memchr(sasl.password, '\0', sasl.password_length),
			    round);
		free(copy);
	}
}

void
units_sasl(void)
{
	base64_is_read();
	base64_there_and_back();
	responses();
	login_asks_twice();
	other_lines();
	names();
	limits();
	secrets_are_wiped();
	any_octets();
}
