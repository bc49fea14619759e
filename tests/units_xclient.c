/* Units of XCLIENT's attributes. */
#include "xclient.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"
#include "units.h"

static const struct {
	const char *text;
	size_t length;
	const char
	    *is; /* "i=value" or "i-" for each attribute; NULL: refused */
} rows[] = {
    {TEXT("NAME=spike.porcupine.org ADDR=168.100.189.2"),
	"0=spike.porcupine.org 1=168.100.189.2 "},
    {TEXT("ADDR=192.0.2.1 LOGIN=jane NAME=[UNAVAILABLE]"), /* nginx */
	"0- 1=192.0.2.1 5=jane "},
    {TEXT("DESTPORT=25 DESTADDR=192.0.2.1 LOGIN=a HELO=b PROTO=esmtp "
	  "PORT=65535 ADDR=IPV6:2001:DB8::1 NAME=c"),
	"0=c 1=2001:db8::1 2=65535 3=ESMTP 4=b 5=a 6=192.0.2.1 7=25 "},
    {TEXT("NAME=[UNAVAILABLE] ADDR=[UNAVAILABLE] PORT=[UNAVAILABLE] "
	  "PROTO=[unavailable] HELO=[UnAvailable] LOGIN=[TEMPUNAVAIL] "
	  "DESTADDR=[tempunavail] DESTPORT=+5BUNAVAILABLE+5D"),
	"0- 1- 2- 3- 4- 5- 6- 7- "},
    {TEXT("name=a addr=ipv6:::1"), "0=a 1=::1 "},
    {TEXT("  NAME=a   ADDR=::1 "), "0=a 1=::1 "},
    {TEXT("ADDR=::ffff:192.0.2.1 DESTADDR=IPV6:::FFFF:192.0.2.2"),
	"1=192.0.2.1 6=192.0.2.2 "},
    {TEXT("NAME=under_score.example"), "0=under_score.example "},
    {TEXT("NAME=+61+2Eb"), "0=a.b "},
    {TEXT("PROTO=SMTP"), "3=SMTP "},
    {TEXT("PORT=0 DESTPORT=0025"), "2=0 7=25 "},
    {TEXT("HELO=[192.0.2.1]"), "4=[192.0.2.1] "},
    {TEXT("HELO=+FF"), "4=\xFF "},
    {TEXT("LOGIN=a+20b+3D+2B"), "5=a b=+ "},
    {TEXT("LOGIN=+C3+A4"), "5=\xC3\xA4 "},
    /* Syntax. */
    {TEXT(""), NULL},
    {TEXT("  "), NULL},
    {TEXT("NAME"), NULL},
    {TEXT("NAME="), NULL},
    {TEXT("NAME= ADDR=::1"), NULL},
    {TEXT("=a"), NULL},
    {TEXT("NAME=a,ADDR=::1"), NULL},
    {TEXT("NAME=a\tADDR=::1"), NULL},
    {TEXT("NAME=a\n"), NULL},
    {TEXT("NAME=a\0"), NULL},
    {TEXT("FOO=a"), NULL},
    {TEXT("NAME=a REVERSE_NAME=b"), NULL},
    {TEXT("NAMES=a"), NULL},
    {TEXT("NAM=a"), NULL},
    {TEXT("NAME=a name=b"), NULL},
    {TEXT("NAME=[UNAVAILABLE] NAME=b"), NULL},
    {TEXT("LOGIN=a+"), NULL},
    {TEXT("LOGIN=a+4"), NULL},
    {TEXT("LOGIN=a+4g"), NULL},
    {TEXT("LOGIN=a=b"), NULL},
    {TEXT("LOGIN=\xC3\xA4"), NULL},
    /* Values. */
    {TEXT("NAME=a+0Ab ADDR=192.0.2.1"), NULL},
    {TEXT("NAME=a+00"), NULL},
    {TEXT("NAME=a+20b"), NULL},
    {TEXT("NAME=[192.0.2.1]"), NULL},
    {TEXT("NAME=a..b"), NULL},
    {TEXT("NAME=-a"), NULL},
    {TEXT("NAME=+C3+A4"), NULL},
    {TEXT("ADDR=[192.0.2.1]"), NULL},
    {TEXT("ADDR=192.0.2.256"), NULL},
    {TEXT("ADDR=192.0.2.01"), NULL},
    {TEXT("ADDR=IPV6:192.0.2.1"), NULL},
    {TEXT("ADDR=IPV6:"), NULL},
    {TEXT("ADDR=IPV4:192.0.2.1"), NULL},
    {TEXT("ADDR=192.0.2.1+00"), NULL},
    {TEXT("ADDR=[UNAVAILABLE]x"), NULL},
    {TEXT("ADDR=example.org"), NULL},
    {TEXT("DESTADDR=1"), NULL},
    {TEXT("PORT=65536"), NULL},
    {TEXT("PORT=-1"), NULL},
    {TEXT("PORT=+2B1"), NULL},
    {TEXT("PORT=1+00"), NULL},
    {TEXT("PORT=smtp"), NULL},
    {TEXT("DESTPORT=65536"), NULL},
    {TEXT("PROTO=LMTP"), NULL},
    {TEXT("PROTO=ESMTP+00"), NULL},
    {TEXT("PROTO=ESMT"), NULL},
    {TEXT("HELO=a+0D+0AMAIL"), NULL},
    {TEXT("HELO=a+20b"), NULL},
    {TEXT("HELO=+00"), NULL},
    {TEXT("LOGIN=+00"), NULL},
    {TEXT("LOGIN=a+0A"), NULL},
    {TEXT("LOGIN=a+7F"), NULL},
    {TEXT("LOGIN=+C2+85"), NULL},
    {TEXT("LOGIN=+FF"), NULL},
};

/* As rows has it. */
static void
describe(const struct xclient *xclient, char *out)
{
	*out = '\0';
	for (int i = 0; i < XCLIENT_ATTRIBUTES; i++) {
		const struct xclient_value *value = &xclient->values[i];

		CHECK_AT(value->text[value->length] == '\0', i);
		CHECK_AT(strlen(value->text) == value->length, i);
		if (value->state == XCLIENT_SET)
			out += sprintf(out, "%d=%s ", i, value->text);
		else if (value->state == XCLIENT_CLEARED)
			out += sprintf(out, "%d- ", i);
		CHECK_AT(
		    (value->state == XCLIENT_SET) == (value->length > 0), i);
	}
}

static void
attributes(void)
{
	static struct xclient xclient;
	char is[2560];

	for (size_t i = 0; i < ROWS(rows); i++) {
		char *copy = exactly(rows[i].text, rows[i].length);
		bool good = xclient_parse(copy, rows[i].length, &xclient);

		free(copy);
		CHECK_AT(good == (rows[i].is != NULL), i);
		if (!good || !rows[i].is)
			continue;
		describe(&xclient, is);
		CHECK_AT(strcmp(is, rows[i].is) == 0, i);
	}
}

/* True if the attribute takes n letters, each spelt as unit. */
static bool
of_length(const char *name, const char *unit, size_t n)
{
	static struct xclient xclient;
	char text[2048], *copy;
	size_t at = strlen(name);
	bool good;

	memcpy(text, name, at);
	for (size_t i = 0; i < n; i++) {
		memcpy(text + at, unit, strlen(unit));
		at += strlen(unit);
	}
	copy = exactly(text, at);
	good = xclient_parse(copy, at, &xclient);
	free(copy);
	return good;
}

static void
limits(void)
{
	static const char *const names[] = {"NAME=", "HELO=", "LOGIN="};

	for (size_t i = 0; i < ROWS(names); i++) {
		CHECK_AT(of_length(names[i], "x", XCLIENT_VALUE_MAX), i);
		CHECK_AT(!of_length(names[i], "x", XCLIENT_VALUE_MAX + 1), i);
		CHECK_AT(of_length(names[i], "+78", XCLIENT_VALUE_MAX), i);
		CHECK_AT(!of_length(names[i], "+78", XCLIENT_VALUE_MAX + 1), i);
	}
	CHECK(of_length("PORT=", "0", XCLIENT_VALUE_MAX));
	CHECK(!of_length("PORT=", "0", XCLIENT_VALUE_MAX + 1));
}

/* Every name that EHLO offers is taken, and nothing else. */
static void
names(void)
{
	static struct xclient xclient;
	const char *at = XCLIENT_NAMES;
	int count = 0;

	for (const char *end = at; *end; at = end + 1) {
		char text[64];
		int n;

		end = at + strcspn(at, " ");
		n = sprintf(text, "%.*s=[UNAVAILABLE]", (int)(end - at), at);
		CHECK_AT(xclient_parse(text, (size_t)n, &xclient), count);
		CHECK_AT(xclient.values[count].state == XCLIENT_CLEARED, count);
		count++;
	}
	CHECK(count == XCLIENT_ATTRIBUTES);
}

/* Whatever is said, nothing but clean text comes out, and nothing is read
 * beyond the end. */
static void
any_octets(void)
{
	static const char *const parts[] = {"NAME=", "ADDR=", "PORT=", "HELO=",
	    "LOGIN=", "PROTO=", "DESTADDR=", " ", "+0A", "+00", "+41", "+", "a",
	    "1", ".", ":", "::", "[UNAVAILABLE]", "IPV6:", "ESMTP", "\xFF",
	    "="};
	static struct xclient xclient;
	unsigned good = 0;

	for (unsigned round = 0; round < 50000; round++) {
		char text[256] = "", *copy;
		size_t length;

		for (unsigned i = 1 + chance(8); i > 0; i--)
			strcat(text, parts[chance(ROWS(parts))]);
		length = strlen(text);
		copy = exactly(text, length);
		if (xclient_parse(copy, length, &xclient)) {
			good++;
			for (int i = 0; i < XCLIENT_ATTRIBUTES; i++)
				CHECK_AT(
				    !text_has_control(xclient.values[i].text,
					xclient.values[i].length),
				    round);
		}
		free(copy);
	}
	CHECK(good > 100);
}

void
units_xclient(void)
{
	attributes();
	limits();
	names();
	any_octets();
}
