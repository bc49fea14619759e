/* Units of what hooks print. */
#include "hooktext.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reply.h"
#include "sasl.h"
#include "units.h"

static const struct {
	const char *text;
	size_t length;
	enum hooktext_kind kind;
	const char *name; /* of a variable */
	const char *value;
} lines[] = {
    {TEXT("X_A=b"), HOOKTEXT_VARIABLE, "X_A", "b"},
    {TEXT("X_A=b\r"), HOOKTEXT_VARIABLE, "X_A", "b"},
    {TEXT("X_A="), HOOKTEXT_VARIABLE, "X_A", ""},
    {TEXT("X_A_9Z=() { :; }; x=\xC3\xA4 "), HOOKTEXT_VARIABLE, "X_A_9Z",
	"() { :; }; x=\xC3\xA4 "},
    {TEXT("X__=1"), HOOKTEXT_VARIABLE, "X__", "1"},
    {TEXT("X_A=SMTP_AUTH_USER=u"), HOOKTEXT_VARIABLE, "X_A",
	"SMTP_AUTH_USER=u"},
    {TEXT("X_A"), HOOKTEXT_OTHER, NULL, NULL},
    {TEXT("X_=b"), HOOKTEXT_OTHER, NULL, NULL},
    {TEXT("X_"), HOOKTEXT_OTHER, NULL, NULL},
    {TEXT("X=b"), HOOKTEXT_OTHER, NULL, NULL},
    {TEXT("x_A=b"), HOOKTEXT_OTHER, NULL, NULL},
    {TEXT("X_a=b"), HOOKTEXT_OTHER, NULL, NULL},
    {TEXT("X_A =b"), HOOKTEXT_OTHER, NULL, NULL},
    {TEXT(" X_A=b"), HOOKTEXT_OTHER, NULL, NULL},
    {TEXT("X_A-B=b"), HOOKTEXT_OTHER, NULL, NULL},
    {TEXT("X_\xC3\x84=b"), HOOKTEXT_OTHER, NULL, NULL},
    {TEXT("PATH=/tmp"), HOOKTEXT_OTHER, NULL, NULL},
    {TEXT("SENDER=a@b"), HOOKTEXT_OTHER, NULL, NULL},
    {TEXT("X_A=b\0c"), HOOKTEXT_OTHER, NULL, NULL},
    {TEXT("X_A=b\tc"), HOOKTEXT_OTHER, NULL, NULL},
    {TEXT("X_A=b\r\r"), HOOKTEXT_OTHER, NULL, NULL},
    {TEXT("X_A=\x7F"), HOOKTEXT_OTHER, NULL, NULL},
    {TEXT("X_A=\xC2\x9B"), HOOKTEXT_OTHER, NULL, NULL},
    {TEXT("X_A=\xFF"), HOOKTEXT_OTHER, NULL, NULL},

    {TEXT("SMTP_AUTH_USER=jane"), HOOKTEXT_USER, NULL, "jane"},
    {TEXT("SMTP_AUTH_USER=a b@c\r"), HOOKTEXT_USER, NULL, "a b@c"},
    {TEXT("SMTP_AUTH_USER="), HOOKTEXT_OTHER, NULL, NULL},
    {TEXT("SMTP_AUTH_USER"), HOOKTEXT_OTHER, NULL, NULL},
    {TEXT("SMTP_AUTH_USER=a\tb"), HOOKTEXT_OTHER, NULL, NULL},
    {TEXT("SMTP_AUTH_USER=a\0"), HOOKTEXT_OTHER, NULL, NULL},
    {TEXT("SMTP_AUTH_MECHANISM=X"), HOOKTEXT_OTHER, NULL, NULL},

    {TEXT("334 "), HOOKTEXT_CHALLENGE, NULL, ""},
    {TEXT("334"), HOOKTEXT_CHALLENGE, NULL, ""},
    {TEXT("334 \r"), HOOKTEXT_CHALLENGE, NULL, ""},
    {TEXT("334 Zg=="), HOOKTEXT_CHALLENGE, NULL, "Zg=="},
    {TEXT("334 Zm9vYmE=\r"), HOOKTEXT_CHALLENGE, NULL, "Zm9vYmE="},
    {TEXT("334 Zg=="
	  "Zg=="),
	HOOKTEXT_OTHER, NULL, NULL},
    {TEXT("334 Zg"), HOOKTEXT_OTHER, NULL, NULL},
    {TEXT("334 Zm9vZ"), HOOKTEXT_OTHER, NULL, NULL},
    {TEXT("334 Zm 9"), HOOKTEXT_OTHER, NULL, NULL},
    {TEXT("334  "), HOOKTEXT_OTHER, NULL, NULL},
    {TEXT("334-Zg=="), HOOKTEXT_OTHER, NULL, NULL},
    {TEXT("334Zg=="), HOOKTEXT_OTHER, NULL, NULL},
    {TEXT("333 Zg=="), HOOKTEXT_OTHER, NULL, NULL},

    {TEXT("235 2.7.0 OK"), HOOKTEXT_REPLY, NULL, NULL},
    {TEXT("535"), HOOKTEXT_REPLY, NULL, NULL},
    {TEXT("450-a\r"), HOOKTEXT_REPLY, NULL, NULL},
    {TEXT("2355"), HOOKTEXT_OTHER, NULL, NULL},
    {TEXT("23"), HOOKTEXT_OTHER, NULL, NULL},
    {TEXT("135 x"), HOOKTEXT_OTHER, NULL, NULL},
    {TEXT("354 x"), HOOKTEXT_OTHER, NULL, NULL},
    {TEXT("23x y"), HOOKTEXT_OTHER, NULL, NULL},
    {TEXT("2x5 y"), HOOKTEXT_OTHER, NULL, NULL},
    {TEXT(""), HOOKTEXT_OTHER, NULL, NULL},
    {TEXT("\r"), HOOKTEXT_OTHER, NULL, NULL},
    {TEXT("hello"), HOOKTEXT_OTHER, NULL, NULL},
};

static bool
is(const char *text, size_t length, const char *expected)
{
	if (!text || !expected)
		return !text && !expected;
	return length == strlen(expected) &&
	       memcmp(text, expected, length) == 0;
}

static void
lines_are_told_apart(void)
{
	struct hooktext_line line;

	for (size_t i = 0; i < ROWS(lines); i++) {
		char *copy = exactly(lines[i].text, lines[i].length);

		hooktext_line(copy, lines[i].length, &line);
		CHECK_AT(line.kind == lines[i].kind, i);
		CHECK_AT(is(line.name, line.name_length, lines[i].name), i);
		CHECK_AT(is(line.value, line.value_length, lines[i].value), i);
		free(copy);
	}
}

/* The kind of begin, then n times c, then end. */
static enum hooktext_kind
of_length(const char *begin, char c, size_t n, const char *end)
{
	size_t at = strlen(begin), length = at + n + strlen(end);
	char *text = malloc(length);
	struct hooktext_line line;

	if (!text)
		abort();
	memcpy(text, begin, at);
	memset(text + at, c, n);
	memcpy(text + at + n, end, strlen(end));
	hooktext_line(text, length, &line);
	free(text);
	return line.kind;
}

static void
limits_of_lines(void)
{
	size_t base64 = (SASL_LINE_MAX - 2 - 4) / 4 * 4;

	CHECK(of_length("X_", 'A', HOOKTEXT_NAME_MAX - 2, "=b") ==
	      HOOKTEXT_VARIABLE);
	CHECK(of_length("X_", 'A', HOOKTEXT_NAME_MAX - 1, "=b") ==
	      HOOKTEXT_OTHER);
	CHECK(of_length("X_A=", 'x', HOOKTEXT_VALUE_MAX, "") ==
	      HOOKTEXT_VARIABLE);
	CHECK(of_length("X_A=", 'x', HOOKTEXT_VALUE_MAX, "\r") ==
	      HOOKTEXT_VARIABLE);
	CHECK(of_length("X_A=", 'x', HOOKTEXT_VALUE_MAX + 1, "") ==
	      HOOKTEXT_OTHER);
	CHECK(of_length("SMTP_AUTH_USER=", 'x', SASL_USER_MAX, "") ==
	      HOOKTEXT_USER);
	CHECK(of_length("SMTP_AUTH_USER=", 'x', SASL_USER_MAX + 1, "") ==
	      HOOKTEXT_OTHER);
	CHECK(of_length("334 ", 'A', base64, "") == HOOKTEXT_CHALLENGE);
	CHECK(of_length("334 ", 'A', base64 + 4, "") == HOOKTEXT_OTHER);
}

#define GO_ON ""
#define DOUBT "451 4.3.0 Temporary failure, try again later\n"

static const struct {
	enum verdict_end end;
	int status;
	const char *output;
	size_t length;
	const char *reply;
	size_t variables;
} rows[] = {
    {VERDICT_EXITED, 0, TEXT(""), GO_ON, 0},
    {VERDICT_EXITED, 99, TEXT(""), GO_ON, 0},
    {VERDICT_EXITED, 0, TEXT("X_A=b\n"), GO_ON, 6},
    {VERDICT_EXITED, 0, TEXT("X_A=b"), GO_ON, 5},
    {VERDICT_EXITED, 0, TEXT("X_A=b\r\nX_B=\r\n"), GO_ON, 13},
    {VERDICT_EXITED, 0, TEXT("250 2.1.5 Mine\n"), "250 2.1.5 Mine\n", 0},
    {VERDICT_EXITED, 0, TEXT("X_A=b\n550 no"), "550 no", 6},
    {VERDICT_EXITED, 0, TEXT("X_A=b\nX_A=c\n450 4.2.1 later\r\n"),
	"450 4.2.1 later\n", 12},
    {VERDICT_EXITED, 0, TEXT("250-me\n250-SIZE\n250 HELP\n"),
	"250-me\n250-SIZE\n250 HELP\n", 0},
    {VERDICT_EXITED, 0, TEXT("421 4.7.0 Bye\n"), "421 4.7.0 Bye\n", 0},
    {VERDICT_EXITED, 99, TEXT("250 x\n"), "250 x\n", 0},
    /* Malformed beside success. */
    {VERDICT_EXITED, 0, TEXT("hello\n"), DOUBT, 0},
    {VERDICT_EXITED, 99, TEXT("hello\n"), DOUBT, 0},
    {VERDICT_EXITED, 0, TEXT("\n"), DOUBT, 0},
    {VERDICT_EXITED, 0, TEXT("X_A=b\n\n"), DOUBT, 0},
    {VERDICT_EXITED, 0, TEXT("X_A=\1\n"), DOUBT, 0},
    {VERDICT_EXITED, 0, TEXT("PATH=/tmp\n"), DOUBT, 0},
    {VERDICT_EXITED, 0, TEXT("SMTP_AUTH_USER=u\n"), DOUBT, 0},
    {VERDICT_EXITED, 0, TEXT("250 a\nX_A=b\n"), DOUBT, 0},
    {VERDICT_EXITED, 0, TEXT("250 a\n250 b\n"), DOUBT, 0},
    {VERDICT_EXITED, 0, TEXT("250-a\n"), DOUBT, 0},
    {VERDICT_EXITED, 0, TEXT("354 go\n"), DOUBT, 0},
    {VERDICT_EXITED, 0, TEXT("334 Zg==\n"), DOUBT, 0},
    {VERDICT_EXITED, 0, TEXT("550 a\0b\n"), DOUBT, 0},
    {VERDICT_EXITED, 0, TEXT("550 2.0.0 a\n"), DOUBT, 0},
    {VERDICT_EXITED, 0, TEXT("550 \xC3\xA4\n"), DOUBT, 0},
    /* A failing status. */
    {VERDICT_EXITED, 1, TEXT(""), DOUBT, 0},
    {VERDICT_EXITED, 67, TEXT(""), "550 5.1.1 No such user\n", 0},
    {VERDICT_EXITED, 67, TEXT("X_A=b\n"), "550 5.1.1 No such user\n", 6},
    {VERDICT_EXITED, 67, TEXT("X_A=b\nNot \1 here\nx"), "550 5.1.1 Not  here\n",
	6},
    {VERDICT_EXITED, 100, TEXT("never\n"), "554 5.0.0 never\n", 0},
    {VERDICT_EXITED, 75, TEXT("451 4.7.1 Wait\n"), "451 4.7.1 Wait\n", 0},
    {VERDICT_EXITED, 1, TEXT("550 5.7.1 No\n"), "550 5.7.1 No\n", 0},
    {VERDICT_EXITED, 1, TEXT("250 OK\n"), DOUBT, 0},
    {VERDICT_EXITED, 67, TEXT("X_A=b\n250 OK\n"), DOUBT, 6},
    {VERDICT_EXITED, 75, TEXT("550 no\n"), DOUBT, 0},
    {VERDICT_EXITED, 111, TEXT("550 no\n"), DOUBT, 0},
    /* What did not exit has said nothing. */
    {VERDICT_KILLED, 0, TEXT("X_A=b\n250 OK\n"), DOUBT, 0},
    {VERDICT_KILLED, 0, TEXT(""), DOUBT, 0},
    {VERDICT_NOT_RUN, 0, TEXT(""),
	"451 4.3.5 Delivery misconfigured, try again later\n", 0},
};

static void
verdicts(void)
{
	static char reply[REPLY_MAX + 1];

	for (size_t i = 0; i < ROWS(rows); i++) {
		char *copy = exactly(rows[i].output, rows[i].length);
		size_t variables = 99, n;

		n = hooktext_verdict(rows[i].end, rows[i].status, copy,
		    rows[i].length, false, reply, sizeof reply, &variables);
		CHECK_AT(is(reply, n, rows[i].reply), i);
		CHECK_AT(variables == rows[i].variables, i);
		free(copy);
	}
	CHECK(is(reply,
	    hooktext_verdict(VERDICT_EXITED, 0, TEXT("550 \xC3\xA4\n"), true,
		reply, sizeof reply, &(size_t){0}),
	    "550 \xC3\xA4\n"));
}

static void
variables_one_by_one(void)
{
	static const char text[] = "X_A=b\r\nX_BC=\nX_A=d\n250 X_E=f\n";
	struct hooktext_line line;
	size_t at = 0;

	CHECK(hooktext_variable(text, sizeof text - 1, &at, &line));
	CHECK(is(line.name, line.name_length, "X_A"));
	CHECK(is(line.value, line.value_length, "b"));
	CHECK(hooktext_variable(text, sizeof text - 1, &at, &line));
	CHECK(is(line.name, line.name_length, "X_BC"));
	CHECK(is(line.value, line.value_length, ""));
	CHECK(hooktext_variable(text, sizeof text - 1, &at, &line));
	CHECK(is(line.value, line.value_length, "d"));
	CHECK(at == 19);
	CHECK(!hooktext_variable(text, sizeof text - 1, &at, &line));
	CHECK(at == 19);
	CHECK(!hooktext_variable(text, at, &at, &line));
}

/* Lines of variables, so many octets altogether, and the octets that count. */
static size_t
flood(size_t length, int status, size_t *replied)
{
	static char reply[REPLY_MAX + 1];
	char *text = malloc(length);
	size_t variables;

	if (!text)
		abort();
	/* The first line is longer by what 16 does not divide. */
	for (size_t i = 0; i < length; i++)
		text[length - 1 - i] = "\ncccccccccbb=A_X"[i % 16];
	memset(text, 'c', length % 16);
	memcpy(text, "X_A=", 4);
	*replied = hooktext_verdict(VERDICT_EXITED, status, text, length, false,
	    reply, sizeof reply, &variables);
	free(text);
	return variables;
}

static void
limits_of_output(void)
{
	size_t replied;

	CHECK(flood(HOOKTEXT_MAX, 0, &replied) == HOOKTEXT_MAX);
	CHECK(replied == 0);
	CHECK(flood(HOOKTEXT_MAX + 1, 0, &replied) == 0);
	CHECK(replied == strlen(DOUBT));
	CHECK(flood(HOOKTEXT_MAX, 1, &replied) == HOOKTEXT_MAX);
	CHECK(flood(HOOKTEXT_MAX + 1, 1, &replied) == 0);
}

#define FAILED "454 4.7.0 Temporary authentication failure\n"

static const struct {
	enum verdict_end end;
	int status;
	const char *text;
	bool has_user;
	const char *reply;
} logins[] = {
    {VERDICT_EXITED, 0, "235 2.7.0 Welcome\n", true, "235 2.7.0 Welcome\n"},
    {VERDICT_EXITED, 0, "235 2.7.0 Welcome\n", false, FAILED},
    {VERDICT_EXITED, 99, "235 2.7.0 Welcome\n", true, FAILED},
    {VERDICT_EXITED, 1, "235 2.7.0 Welcome\n", true, FAILED},
    {VERDICT_EXITED, 75, "235 2.7.0 Welcome\n", true, FAILED},
    {VERDICT_KILLED, 0, "235 2.7.0 Welcome\n", true, FAILED},
    {VERDICT_EXITED, 0, "250 OK\n", true, FAILED},
    {VERDICT_EXITED, 0, "235 a\n235 b\n", true, FAILED},
    {VERDICT_EXITED, 0, "235-a\n", true, FAILED},
    {VERDICT_EXITED, 0, "", true, FAILED},
    {VERDICT_EXITED, 77, "", true, FAILED},
    {VERDICT_EXITED, 0, "hello\n", true, FAILED},
    {VERDICT_EXITED, 0, "535 5.7.8 No\r\n", true, "535 5.7.8 No\n"},
    {VERDICT_EXITED, 1, "535 5.7.8 No\n", false, "535 5.7.8 No\n"},
    {VERDICT_EXITED, 75, "535 5.7.8 No\n", false, FAILED},
    {VERDICT_EXITED, 111, "535 5.7.8 No\n", false, FAILED},
    {VERDICT_EXITED, 75, "500 5.7.8 No\n", false, FAILED},
    {VERDICT_EXITED, 75, "400 4.7.0 No\n", false, "400 4.7.0 No\n"},
    {VERDICT_KILLED, 0, "535 5.7.8 No\n", false, FAILED},
    {VERDICT_EXITED, 75, "454 4.7.0 Wait\n", false, "454 4.7.0 Wait\n"},
    {VERDICT_EXITED, 0, "421 4.7.0 Bye\n", false, "421 4.7.0 Bye\n"},
    {VERDICT_NOT_RUN, 0, "", false,
	"451 4.3.5 Delivery misconfigured, try again later\n"},
};

static void
logins_are_judged(void)
{
	static char reply[REPLY_MAX + 1];

	for (size_t i = 0; i < ROWS(logins); i++) {
		size_t length = strlen(logins[i].text), n;
		char *copy = exactly(logins[i].text, length);

		n = hooktext_login(logins[i].end, logins[i].status, copy,
		    length, false, logins[i].has_user, reply, sizeof reply);
		CHECK_AT(is(reply, n, logins[i].reply), i);
		free(copy);
	}
}

/* Whatever a hook prints, what the client gets is one reply, and 2xx only
 * beside success. */
static void
any_output(void)
{
	static const char *const parts[] = {"X_A=b\n", "X_B=\1\n", "X_C=", "\n",
	    "\r\n", "250 ok\n", "250-a\n", "550 5.1.1 no", "334 ",
	    "Zg==", "SMTP_AUTH_USER=u\n", "x", "\xFF", " "};
	static const int statuses[] = {0, 0, 1, 67, 75, 99, 100, 111};
	static char reply[REPLY_MAX + 1];
	unsigned went_on = 0;

	for (unsigned round = 0; round < 50000; round++) {
		char text[256] = "", *copy;
		int status = statuses[chance(ROWS(statuses))], code;
		size_t length, variables, n;
		struct hooktext_line line;

		for (unsigned i = chance(6); i > 0; i--)
			strcat(text, parts[chance(ROWS(parts))]);
		length = strlen(text);
		copy = exactly(text, length);
		hooktext_line(copy, length, &line);
		n = hooktext_verdict(VERDICT_EXITED, status, copy, length,
		    chance(2), reply, sizeof reply, &variables);
		code = reply_code(reply, n, true);
		CHECK_AT(variables <= length, round);
		CHECK_AT(n == 0 || code != 0, round);
		CHECK_AT(
		    verdict_success(status) || (n > 0 && code >= 400), round);
		went_on += n == 0;
		n = hooktext_login(VERDICT_EXITED, status, copy, length, false,
		    chance(2), reply, sizeof reply);
		CHECK_AT(reply_code(reply, n, true) >= 400, round);
		free(copy);
	}
	CHECK(went_on > 100);
}

void
units_hooktext(void)
{
	lines_are_told_apart();
	limits_of_lines();
	verdicts();
	variables_one_by_one();
	limits_of_output();
	logins_are_judged();
	any_output();
}
