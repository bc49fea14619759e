/* Units of ESMTP parameters. */
#include "param.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "units.h"

static const struct {
	const char *text;
	size_t length;
	const char *plain; /* what is found: K or K=V, then "end" or "bad" */
	const char *utf8;  /* NULL: the same */
} rows[] = {
    {TEXT(""), "end", NULL},
    {TEXT("   "), "end", NULL},
    {TEXT("A"), "A end", NULL},
    {TEXT("SIZE=10"), "SIZE=10 end", NULL},
    {TEXT("  size=10   Body=8bitmime "), "size=10 Body=8bitmime end", NULL},
    {TEXT("A B C=d"), "A B C=d end", NULL},
    {TEXT("X-1-=y"), "X-1-=y end", NULL},
    {TEXT("1=2"), "1=2 end", NULL},
    {TEXT("A=!<>~"), "A=!<>~ end", NULL},
    {TEXT("AUTH=\"\""), "AUTH=\"\" end", NULL}, /* CVE-2020-28022 Exim */
    {TEXT("AUTH=x+0Aspool"), "AUTH=x+0Aspool end", NULL},
    {TEXT("="), "bad", NULL},
    {TEXT("=x"), "bad", NULL},
    {TEXT("A="), "bad", NULL},
    {TEXT("A= "), "bad", NULL},
    {TEXT("A=b="), "bad", NULL},
    {TEXT("A==b"), "bad", NULL},
    {TEXT("A=b=c"), "bad", NULL},
    {TEXT("-A=b"), "bad", NULL},
    {TEXT("A_B=c"), "bad", NULL},
    {TEXT("A B= C"), "A bad", NULL},
    {TEXT("A,B"), "bad", NULL},
    {TEXT("A\tB"), "bad", NULL},
    {TEXT("A=b\tc"), "bad", NULL},
    {TEXT("A=b\0c"), "bad", NULL},
    {TEXT("A\0"), "bad", NULL},
    {TEXT("A=b\x7f"), "bad", NULL},
    {TEXT("A=\xC3\xA4"), "bad", "A=\xC3\xA4 end"},
    {TEXT("A=\xF0\x9F\x98\x80"), "bad", "A=\xF0\x9F\x98\x80 end"},
    {TEXT("\xC3\xA4=b"), "bad", NULL},
    {TEXT("X=\xC3"), "bad", NULL}, /* CVE-2020-7046 Dovecot */
    {TEXT("X=\xC3 B"), "bad", NULL},
    {TEXT("X=a\xC3"), "bad", NULL},
    {TEXT("X=\xC2\x9B"), "bad", NULL},
    {TEXT("X=\xFF"), "bad", NULL},
    /* U+212A, the Kelvin sign, is a k in some locales only. */
    {TEXT("\xE2\x84\xAA=1"), "bad", NULL},
};

/* Into log, as rows has it. */
static void
list(const char *text, size_t length, bool utf8, char *log)
{
	char *copy = exactly(text, length);
	struct param param;
	enum param_found found;
	size_t at = 0;

	*log = '\0';
	while ((found = param_next(copy, length, utf8, &at, &param)) ==
	       PARAM_FOUND) {
		log += sprintf(log, "%.*s%s%.*s ", (int)param.keyword_length,
		    param.keyword, param.value ? "=" : "",
		    (int)param.value_length, param.value ? param.value : "");
		CHECK(at <= length);
	}
	sprintf(log, found == PARAM_END ? "end" : "bad");
	free(copy);
}

static void
parameters_are_found(void)
{
	char log[256];

	for (size_t i = 0; i < ROWS(rows); i++) {
		const char *utf8 = rows[i].utf8 ? rows[i].utf8 : rows[i].plain;

		list(rows[i].text, rows[i].length, false, log);
		CHECK_AT(strcmp(log, rows[i].plain) == 0, i);
		list(rows[i].text, rows[i].length, true, log);
		CHECK_AT(strcmp(log, utf8) == 0, i);
		/* Cut anywhere, it is read no further. */
		for (size_t n = 0; n < rows[i].length; n++)
			list(rows[i].text, n, true, log);
	}
}

static void
every_octet_of_a_value(void)
{
	char log[256];

	for (int c = 0; c < 256; c++) {
		char text[] = "A=b?c";
		bool good = c > ' ' && c <= '~' && c != '=';

		text[3] = (char)c;
		list(text, sizeof text - 1, false, log);
		if (c != ' ')
			CHECK_AT((strcmp(log, "bad") != 0) == good, c);
	}
}

static void
names_have_no_case(void)
{
	static const char text[] = "a=1 B a-b A=2 b ab";
	static const bool repeated[] = {false, false, false, true, true, false};
	struct param param;
	size_t at = 0;

	for (size_t i = 0; i < ROWS(repeated); i++) {
		CHECK_AT(
		    param_next(TEXT(text), false, &at, &param) == PARAM_FOUND,
		    i);
		CHECK_AT(
		    param_repeated(TEXT(text), false, &param) == repeated[i],
		    i);
	}
	at = 0;
	CHECK(param_next(TEXT("sIzE=1"), false, &at, &param) == PARAM_FOUND);
	CHECK(param_is(&param, "SIZE"));
	CHECK(!param_is(&param, "SIZ"));
	CHECK(!param_is(&param, "SIZE="));
	CHECK(!param_is(&param, "SIZES"));
}

static void
parameters_are_normalized(void)
{
	static const struct {
		const char *text;
		const char *want;
	} table[] = {
	    {"", ""},
	    {"   ", ""},
	    {"size=10", "SIZE=10"},
	    {"  body=8bitmime   size=229 ", "BODY=8bitmime SIZE=229"},
	    {"smtputf8", "SMTPUTF8"},
	    {"x-\xC3\xA4", ""},
	    {"x=\xC3\xA4 y", "X=\xC3\xA4 Y"},
	};
	char out[64];

	for (size_t i = 0; i < ROWS(table); i++) {
		size_t length = strlen(table[i].text);
		size_t n = param_normalize(table[i].text, length, true, out);

		CHECK_AT(n <= length && n == strlen(table[i].want) &&
			     memcmp(out, table[i].want, n) == 0,
		    i);
	}
}

void
units_param(void)
{
	parameters_are_found();
	every_octet_of_a_value();
	names_have_no_case();
	parameters_are_normalized();
}
