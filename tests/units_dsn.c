/* Units of xtext and of the values that RFC 3461 and RFC 4954 give MAIL and
 * RCPT. */
#include "dsn.h"

#include <stdlib.h>
#include <string.h>

#include "units.h"
#include "xtext.h"

static bool
notify(const char *text, size_t length, bool utf8)
{
	(void)utf8;
	return dsn_notify(text, length);
}

static bool
ret(const char *text, size_t length, bool utf8)
{
	(void)utf8;
	return dsn_ret(text, length);
}

static bool
envid(const char *text, size_t length, bool utf8)
{
	(void)utf8;
	return dsn_envid(text, length);
}

enum takes { NEITHER, UTF8_ONLY, BOTH };

static const struct {
	bool (*is)(const char *text, size_t length, bool utf8);
	const char *text;
	size_t length;
	enum takes takes;
} rows[] = {
    {notify, TEXT("NEVER"), BOTH},
    {notify, TEXT("never"), BOTH},
    {notify, TEXT("SUCCESS"), BOTH},
    {notify, TEXT("failure"), BOTH},
    {notify, TEXT("Delay"), BOTH},
    {notify, TEXT("SUCCESS,FAILURE"), BOTH},
    {notify, TEXT("DELAY,FAILURE,SUCCESS"), BOTH},
    {notify, TEXT(""), NEITHER},
    {notify, TEXT("NEVER,NEVER"), NEITHER},
    {notify, TEXT("NEVER,FAILURE"), NEITHER},
    {notify, TEXT("FAILURE,NEVER"), NEITHER},
    {notify, TEXT("FAILURE,FAILURE"), NEITHER},
    {notify, TEXT("SUCCESS,DELAY,success"), NEITHER},
    {notify, TEXT("SUCCESS,"), NEITHER},
    {notify, TEXT(",SUCCESS"), NEITHER},
    {notify, TEXT("SUCCESS,,DELAY"), NEITHER},
    {notify, TEXT("SUCCESS;DELAY"), NEITHER},
    {notify, TEXT("SUCCESS, DELAY"), NEITHER},
    {notify, TEXT("SUCCES"), NEITHER},
    {notify, TEXT("SUCCESSS"), NEITHER},
    {notify, TEXT("NEVER\0"), NEITHER},
    {notify, TEXT("NEVE"), NEITHER},

    {ret, TEXT("FULL"), BOTH},
    {ret, TEXT("hdrs"), BOTH},
    {ret, TEXT(""), NEITHER},
    {ret, TEXT("HDR"), NEITHER},
    {ret, TEXT("HDRSS"), NEITHER},
    {ret, TEXT("FULL,HDRS"), NEITHER},

    {envid, TEXT("QQ314159"), BOTH},
    {envid, TEXT("!<>~,+2B+3D+20"), BOTH},
    {envid, TEXT(""), NEITHER},
    {envid, TEXT("a+0Ab"), NEITHER},
    {envid, TEXT("a+00"), NEITHER},
    {envid, TEXT("a+09b"), NEITHER},
    {envid, TEXT("+7F"), NEITHER},
    {envid, TEXT("+C3+A4"), NEITHER},
    {envid, TEXT("a+"), NEITHER},
    {envid, TEXT("a+2"), NEITHER},
    {envid, TEXT("a+2b"), NEITHER},
    {envid, TEXT("a+2G"), NEITHER},
    {envid, TEXT("a+G2"), NEITHER},
    {envid, TEXT("a=b"), NEITHER},
    {envid, TEXT("a b"), NEITHER},
    {envid, TEXT("a\0"), NEITHER},
    {envid, TEXT("\xC3\xA4"), NEITHER},

    {dsn_orcpt, TEXT("rfc822;Bob@Example.com"), BOTH},
    {dsn_orcpt, TEXT("RFC822;a+2Bb@c"), BOTH},
    {dsn_orcpt, TEXT("rfc822;a;b\\c"), BOTH},
    {dsn_orcpt, TEXT("rfc822;"), BOTH},
    {dsn_orcpt, TEXT("x-local+1;x"), BOTH},
    {dsn_orcpt, TEXT("x400;/C=x/"), NEITHER},
    {dsn_orcpt, TEXT("x400;/C+3Dx/"), BOTH},
    {dsn_orcpt, TEXT(""), NEITHER},
    {dsn_orcpt, TEXT("rfc822"), NEITHER},
    {dsn_orcpt, TEXT(";a@b"), NEITHER},
    {dsn_orcpt, TEXT("a@b"), NEITHER},
    {dsn_orcpt, TEXT("rfc.822;a@b"), NEITHER},
    {dsn_orcpt, TEXT("rfc 822;a@b"), NEITHER},
    {dsn_orcpt, TEXT("rfc\0;a@b"), NEITHER},
    {dsn_orcpt, TEXT("r\xC3\xA4;a@b"), NEITHER},
    {dsn_orcpt, TEXT("rfc822;x+0AY"), NEITHER}, /* CVE-2020-28026 Exim */
    {dsn_orcpt, TEXT("rfc822;x+0DY"), NEITHER},
    {dsn_orcpt, TEXT("rfc822;x+00"), NEITHER},
    {dsn_orcpt, TEXT("rfc822;x+7F"), NEITHER},
    {dsn_orcpt, TEXT("rfc822;x+80"), NEITHER},
    {dsn_orcpt, TEXT("rfc822;j+C3+B6rg@b+C3+BC.example"), BOTH}, /* Postfix */
    {dsn_orcpt, TEXT("utf-8;j+C3+B6rg@x"), BOTH},
    {dsn_orcpt, TEXT("rfc822;+F0+9F+93+AC@+E2+82+AC"), BOTH},
    {dsn_orcpt, TEXT("rfc822;+C3"), NEITHER},
    {dsn_orcpt, TEXT("rfc822;+C3+"), NEITHER},
    {dsn_orcpt, TEXT("rfc822;+C3+B"), NEITHER},
    {dsn_orcpt, TEXT("rfc822;+C3B6"), NEITHER},
    {dsn_orcpt, TEXT("rfc822;+C3+0A"), NEITHER},
    {dsn_orcpt, TEXT("rfc822;+C2+85"), NEITHER},
    {dsn_orcpt, TEXT("rfc822;+C0+8A"), NEITHER},
    {dsn_orcpt, TEXT("rfc822;+F0+9F+93+93+"), NEITHER},
    {dsn_orcpt, TEXT("rfc822;+F0+9F+93x"), NEITHER},
    {dsn_orcpt, TEXT("rfc822;x+1"), NEITHER},
    {dsn_orcpt, TEXT("rfc822;x\n"), NEITHER},
    {dsn_orcpt, TEXT("rfc822;\xC3\xA4@b"), NEITHER},
    {dsn_orcpt, TEXT("utf-8;a@b"), BOTH},
    {dsn_orcpt, TEXT("utf-8;\xC3\xA4@b"), UTF8_ONLY},
    {dsn_orcpt, TEXT("UTF-8;\xC3\xA4@b"), UTF8_ONLY},
    {dsn_orcpt, TEXT("utf-8;a\xC3"), NEITHER},
    {dsn_orcpt, TEXT("utf-8;\xC2\x85"), NEITHER},
    {dsn_orcpt, TEXT("utf-8;\\x{E4}@b"), BOTH},
    {dsn_orcpt, TEXT("utf-8;\\x{10FFFF}\\x{20}\\x{7E}\\x{A0}"), BOTH},
    {dsn_orcpt, TEXT("utf-8;\\x{D7FF}\\x{E000}\\x{00020}"), BOTH},
    {dsn_orcpt, TEXT("utf-8;a+2Bb@c"), BOTH},
    {dsn_orcpt, TEXT("utf-8;a+0A"), NEITHER},
    {dsn_orcpt, TEXT("utf-8;\\x{0A}"), NEITHER},
    {dsn_orcpt, TEXT("utf-8;\\x{1F}"), NEITHER},
    {dsn_orcpt, TEXT("utf-8;\\x{7F}"), NEITHER},
    {dsn_orcpt, TEXT("utf-8;\\x{9F}"), NEITHER},
    {dsn_orcpt, TEXT("utf-8;\\x{D800}"), NEITHER},
    {dsn_orcpt, TEXT("utf-8;\\x{DFFF}"), NEITHER},
    {dsn_orcpt, TEXT("utf-8;\\x{110000}"), NEITHER},
    {dsn_orcpt, TEXT("utf-8;\\x{0000020}"), NEITHER},
    {dsn_orcpt, TEXT("utf-8;\\x{4}"), NEITHER},
    {dsn_orcpt, TEXT("utf-8;\\x{}"), NEITHER},
    {dsn_orcpt, TEXT("utf-8;\\x{e4}"), NEITHER},
    {dsn_orcpt, TEXT("utf-8;\\x{E4"), NEITHER},
    {dsn_orcpt, TEXT("utf-8;\\x{"), NEITHER},
    {dsn_orcpt, TEXT("utf-8;\\x"), NEITHER},
    {dsn_orcpt, TEXT("utf-8;\\"), NEITHER},
    {dsn_orcpt, TEXT("utf-8;\\X{E4}"), NEITHER},
    {dsn_orcpt, TEXT("utf-8;\\x{E4} b"), NEITHER},
    {dsn_orcpt, TEXT("utf-8;\\x{E4}="), NEITHER},

    {dsn_auth, TEXT("<>"), BOTH},
    {dsn_auth, TEXT("e+3Dmc2@example.com"), BOTH}, /* RFC 4954 5 */
    {dsn_auth, TEXT("a+2Bb@example.com"), BOTH},
    {dsn_auth, TEXT("\"a+20b\"@example.com"), BOTH},
    {dsn_auth, TEXT("a@[192.0.2.1]"), BOTH},
    {dsn_auth, TEXT("+C3+A4@b"), UTF8_ONLY},
    {dsn_auth, TEXT("\xC3\xA4@b"), UTF8_ONLY},
    {dsn_auth, TEXT("\xC3+A4@b"), UTF8_ONLY},
    {dsn_auth, TEXT(""), NEITHER},
    {dsn_auth, TEXT("\"\""), NEITHER},           /* CVE-2020-28022 Exim */
    {dsn_auth, TEXT("x+0Aspool-line"), NEITHER}, /* CVE-2020-28021 Exim */
    {dsn_auth, TEXT("x+0Aspool@line"), NEITHER},
    {dsn_auth, TEXT("\"x+0Aspool\"@line"), NEITHER},
    {dsn_auth, TEXT("\"x+00\"@line"), NEITHER},
    {dsn_auth, TEXT("+00"), NEITHER},
    {dsn_auth, TEXT("joe"), NEITHER},
    {dsn_auth, TEXT("joe@"), NEITHER},
    {dsn_auth, TEXT("<joe@b>"), NEITHER},
    {dsn_auth, TEXT("<"), NEITHER},
    {dsn_auth, TEXT("<>x"), NEITHER},
    {dsn_auth, TEXT("a+@b"), NEITHER},
    {dsn_auth, TEXT("a=@b"), NEITHER},
    {dsn_auth, TEXT("a@b+"), NEITHER},
    {dsn_auth, TEXT("a@b+4"), NEITHER},
    {dsn_auth, TEXT("a@b+2C"), NEITHER},
    {dsn_auth, TEXT("a@b\0"), NEITHER},
    {dsn_auth, TEXT("\xC3@b"), NEITHER},
};

static void
values(void)
{
	for (size_t i = 0; i < ROWS(rows); i++) {
		char *copy = exactly(rows[i].text, rows[i].length);

		CHECK_AT(rows[i].is(copy, rows[i].length, false) ==
			     (rows[i].takes == BOTH),
		    i);
		CHECK_AT(rows[i].is(copy, rows[i].length, true) ==
			     (rows[i].takes != NEITHER),
		    i);
		free(copy);
	}
}

/* Begin, then letters up to n octets, then end. */
static bool
of_length(bool (*is)(const char *text, size_t length, bool utf8),
    const char *begin, size_t n, const char *end)
{
	char *text = malloc(n);
	bool good;

	if (!text)
		abort();
	memset(text, 'x', n);
	memcpy(text, begin, strlen(begin));
	memcpy(text + n - strlen(end), end, strlen(end));
	good = is(text, n, false);
	free(text);
	return good;
}

static void
limits(void)
{
	CHECK(of_length(envid, "", DSN_ENVID_MAX, "+20"));
	CHECK(!of_length(envid, "", DSN_ENVID_MAX + 1, "+20"));
	CHECK(of_length(dsn_orcpt, "rfc822;", DSN_ORCPT_MAX, "+20"));
	CHECK(!of_length(dsn_orcpt, "rfc822;", DSN_ORCPT_MAX + 1, "+20"));
	CHECK(of_length(dsn_auth, "", DSN_AUTH_MAX, "@b"));
	CHECK(!of_length(dsn_auth, "", DSN_AUTH_MAX + 1, "@b"));
}

static void
xtext_every_octet(void)
{
	static const char hex[] = "0123456789ABCDEF";

	for (unsigned i = 0; i < 256; i++) {
		char plain = (char)i, octet = 0;
		char coded[3] = {'+', hex[i >> 4], hex[i & 15]};
		bool itself = i > ' ' && i < 127 && i != '+' && i != '=';

		CHECK_AT(xtext_next(&plain, 1, &octet) == itself, i);
		CHECK_AT(!itself || octet == plain, i);
		CHECK_AT(xtext_next(coded, 3, &octet) == 3, i);
		CHECK_AT(octet == plain, i);
		CHECK_AT(xtext_next(coded, 2, &octet) == 0, i);
	}
	CHECK(xtext_next("", 0, NULL) == 0);
}

/* No value is read beyond its end, whatever it is. */
static void
any_octets(void)
{
	static const char parts[] =
	    "+=;,<>\\x{}09AFaf@\"\xC3\xA4\xFF \n\0utf-8;rfc822;NEVER,DELAY";

	for (unsigned round = 0; round < 20000; round++) {
		char text[40];
		size_t n = chance(sizeof text);
		char *copy;

		for (size_t i = 0; i < n; i++)
			text[i] = parts[chance(sizeof parts - 1)];
		if (n > 6 && chance(2))
			memcpy(text, "utf-8;", 6);
		copy = exactly(text, n);
		/* What needs no UTF-8 is not worse with it. */
		CHECK_AT(!dsn_orcpt(copy, n, false) || dsn_orcpt(copy, n, true),
		    round);
		CHECK_AT(!dsn_auth(copy, n, false) || dsn_auth(copy, n, true),
		    round);
		CHECK_AT(!dsn_envid(copy, n) || !memchr(copy, '\n', n), round);
		(void)dsn_notify(copy, n);
		(void)dsn_ret(copy, n);
		free(copy);
	}
}

void
units_dsn(void)
{
	values();
	limits();
	xtext_every_octet();
	any_octets();
}
