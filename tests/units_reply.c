/* Units of the judge of replies (RFC 5321 4.2, RFC 2034 4). */
#include "reply.h"

#include <stdlib.h>
#include <string.h>

#include "units.h"

static const struct {
	const char *text;
	size_t length;
	int code; /* without UTF-8 */
	int utf8; /* with it */
} rows[] = {
    {TEXT("250 2.0.0 OK\n"), 250, 250},
    {TEXT("250 2.0.0 OK\r\n"), 250, 250},
    {TEXT("250 2.0.0 OK"), 250, 250}, /* no final newline */
    {TEXT("250 OK\n"), 250, 250},
    {TEXT("250\n"), 250, 250}, /* a bare code */
    {TEXT("250"), 250, 250},
    {TEXT("250\r\n"), 250, 250},
    {TEXT("250-one\n250 two\n"), 250, 250},
    {TEXT("250-one\r\n250-\r\n250 two\r\n"), 250, 250},
    {TEXT("250-one\r\n250 two\n"), 250, 250},
    {TEXT("250-one\n250\n"), 250, 250},
    {TEXT("421 4.3.2 x\n"), 421, 421},
    {TEXT("450 4.2.0 x\n"), 450, 450},
    {TEXT("550 5.7.1 x\n"), 550, 550},
    {TEXT("550 5.7.2\n"), 550, 550}, /* CVE-2026-43964 Postfix */
    {TEXT("550 5.7.2"), 550, 550},
    {TEXT("559 5.123.999 x\n"), 559, 559},
    {TEXT("200 x\n"), 200, 200},
    {TEXT("250  x\n"), 250, 250},
    {TEXT("250 ~\n"), 250, 250},
    /* No enhanced code, and so of no class. */
    {TEXT("250 5.0 x\n"), 250, 250},
    {TEXT("250 5.0.0.1 x\n"), 250, 250},
    {TEXT("250 5.0.0x\n"), 250, 250},
    {TEXT("250 5.0.1234 x\n"), 250, 250},
    {TEXT("250 x 5.0.0\n"), 250, 250},
    {TEXT("250 3.0.0 x\n"), 250, 250},
    /* UTF-8 where the client understands it */
    {TEXT("550 5.1.1 \xC3\xA4\n"), 0, 550},
    {TEXT("550 5.1.1 \xF0\x9F\x98\x80\n"), 0, 550},
    {TEXT("550 5.1.1 \xC3\n"), 0, 0},
    {TEXT("550 5.1.1 \xC2\x9B\n"), 0, 0}, /* C1 */
    {TEXT("550 5.1.1 \xC0\xAF\n"), 0, 0},
    {TEXT("550 5.1.1 \xFF\n"), 0, 0},
    {TEXT("550 5.1.1 \xC3"), 0, 0},
    /* No reply at all */
    {TEXT(""), 0, 0},
    {TEXT("\n"), 0, 0},
    {TEXT("\r\n"), 0, 0},
    {TEXT("2"), 0, 0},
    {TEXT("25"), 0, 0},
    {TEXT("25\n"), 0, 0},
    {TEXT("25 0\n"), 0, 0},
    {TEXT("250x\n"), 0, 0},
    {TEXT("2500 x\n"), 0, 0},
    {TEXT("250.x\n"), 0, 0},
    {TEXT(" 250 x\n"), 0, 0},
    {TEXT("OK\n"), 0, 0},
    {TEXT("\n250 x\n"), 0, 0},
    {TEXT("2a0 x\n"), 0, 0},
    {TEXT("a50 x\n"), 0, 0},
    {TEXT("25a x\n"), 0, 0},
    /* Codes that are no verdict */
    {TEXT("150 x\n"), 0, 0},
    {TEXT("354 x\n"), 0, 0},
    {TEXT("050 x\n"), 0, 0},
    {TEXT("650 x\n"), 0, 0},
    {TEXT("260 x\n"), 0, 0},
    {TEXT("299 x\n"), 0, 0},
    /* Two codes, two replies */
    {TEXT("250-one\n251 two\n"), 0, 0},
    {TEXT("250-one\n550 two\n"), 0, 0},
    {TEXT("250 one\n250 two\n"), 0, 0},
    {TEXT("250 one\n\n"), 0, 0},
    {TEXT("250 one\n "), 0, 0},
    {TEXT("250\n250\n"), 0, 0},
    {TEXT("250 one\n550 two\n"), 0, 0},
    /* A reply that does not end */
    {TEXT("250-one\n"), 0, 0},
    {TEXT("250-one"), 0, 0},
    {TEXT("250-"), 0, 0},
    {TEXT("250-one\n250-two\n"), 0, 0},
    {TEXT("250-one\n\n250 two\n"), 0, 0},
    {TEXT("250-one\ntwo\n250 three\n"), 0, 0},
    /* CVE-2020-8794 OpenSMTPD */
    {TEXT("553-\n553\n\nx\n"), 0, 0},
    /* Control characters */
    {TEXT("250 a\0b\n"), 0, 0},
    {TEXT("250 a\0"), 0, 0},
    {TEXT("250\0"), 0, 0},
    {TEXT("250 a\tb\n"), 0, 0},
    {TEXT("250 a\x7f\n"), 0, 0},
    {TEXT("250 \x1b[2J\n"), 0, 0},
    {TEXT("250 a\rb\n"), 0, 0},
    {TEXT("250 a\r\r\n"), 0, 0},
    {TEXT("250 a\r"), 0, 0},
    {TEXT("250-a\r250 b\r\n"), 0, 0},
    /* An enhanced code of another class */
    {TEXT("250 5.0.0 x\n"), 0, 0},
    {TEXT("250 4.0.0\n"), 0, 0},
    {TEXT("250 4.0.0"), 0, 0},
    {TEXT("550 2.0.0 x\n"), 0, 0},
    {TEXT("550 4.0.0 x\n"), 0, 0},
    {TEXT("450 5.123.456 x\n"), 0, 0},
    {TEXT("550-5.0.0 x\n550 2.0.0 x\n"), 0, 0},
    {TEXT("550-2.0.0 x\n550 5.0.0 x\n"), 0, 0},
};

static void
replies_are_judged(void)
{
	for (size_t i = 0; i < ROWS(rows); i++) {
		char *copy = exactly(rows[i].text, rows[i].length);

		CHECK_AT(
		    reply_code(copy, rows[i].length, false) == rows[i].code, i);
		CHECK_AT(
		    reply_code(copy, rows[i].length, true) == rows[i].utf8, i);
		free(copy);
		for (size_t n = 0; n < rows[i].length; n++) {
			copy = exactly(rows[i].text, n);
			CHECK_AT(reply_code(copy, n, true) < 600, i);
			CHECK_AT(reply_span(copy, n) <= n, i);
			free(copy);
		}
	}
}

static void
every_octet_of_a_text(void)
{
	for (int c = 0; c < 256; c++) {
		char text[] = "250 a?b\n";

		text[5] = (char)c;
		CHECK_AT((reply_code(TEXT(text), false) == 250) ==
			     (c >= ' ' && c <= '~'),
		    c);
		CHECK_AT((reply_code(TEXT(text), true) == 250) ==
			     (c >= ' ' && c <= '~'),
		    c);
	}
}

/* A line of 512 octets with its CRLF, a reply of 4096; and one more. */
static void
limits_hold(void)
{
	static char text[REPLY_MAX + 8];

	for (size_t n = REPLY_LINE_MAX - 2; n < REPLY_LINE_MAX; n++) {
		int code = n == REPLY_LINE_MAX - 2 ? 250 : 0;

		memset(text, 'x', sizeof text);
		memcpy(text, "250 ", 4);
		CHECK_AT(reply_code(text, n, false) == code, n);
		memcpy(text + n, "\n", 1);
		CHECK_AT(reply_code(text, n + 1, false) == code, n);
		memcpy(text + n, "\r\n", 2);
		CHECK_AT(reply_code(text, n + 2, false) == code, n);
		text[3] = '-';
		memcpy(text + n + 2, "250", 3);
		CHECK_AT(reply_code(text, n + 5, false) == code, n);
	}
	/* Full lines but for the last. */
	memset(text, 'x', sizeof text);
	for (size_t at = 0; at < REPLY_MAX; at += 512)
		memcpy(text + at, "250-", 4);
	for (size_t at = 511; at < REPLY_MAX; at += 512)
		text[at] = '\n';
	for (size_t at = 510; at < REPLY_MAX; at += 512)
		text[at] = '\r';
	text[REPLY_MAX - 509] = ' ';
	CHECK(reply_code(text, REPLY_MAX, false) == 250);
	CHECK(reply_span(text, REPLY_MAX) == REPLY_MAX);
	/* Short lines, so that only the sum is too much. */
	memset(text, 'x', sizeof text);
	for (size_t at = 0; at + 8 <= sizeof text; at += 8)
		memcpy(text + at, "250-xxx\n", 8);
	text[REPLY_MAX - 5] = ' ';
	CHECK(reply_code(text, REPLY_MAX, false) == 250);
	text[REPLY_MAX - 5] = '-';
	memcpy(text + REPLY_MAX - 8, "250 xxxx\n", 9);
	CHECK(reply_code(text, REPLY_MAX, false) == 250);
	CHECK(reply_code(text, REPLY_MAX + 1, false) == 0);
}

/* What the dialogue says by itself, all but 354 and what is added to. */
static void
named_replies_are_replies(void)
{
	static const char *const named[] = {
	    REPLY_OK,
	    REPLY_HELP,
	    REPLY_BYE,
	    REPLY_SENDER,
	    REPLY_RECIPIENT,
	    REPLY_VRFY,
	    REPLY_STOPPING,
	    REPLY_BUSY,
	    REPLY_BUSY_CLIENT,
	    REPLY_TIMEOUT,
	    REPLY_SLOW,
	    REPLY_LONG_SESSION,
	    REPLY_ERRORS,
	    REPLY_MESSAGES,
	    REPLY_NO_MAIL_CLIENT,
	    REPLY_BROKEN,
	    REPLY_TRY_LATER,
	    REPLY_MISCONFIGURED,
	    REPLY_STORAGE,
	    REPLY_RECIPIENTS,
	    REPLY_UNKNOWN,
	    REPLY_BARE_NEWLINE,
	    REPLY_LINE_LENGTH,
	    REPLY_NOT_LMTP,
	    REPLY_SYNTAX,
	    REPLY_NO_ARGUMENT,
	    REPLY_CONTROL,
	    REPLY_PARAMETER,
	    REPLY_REPEATED,
	    REPLY_HELP_UNKNOWN,
	    REPLY_NOT_OFFERED,
	    REPLY_EXPN,
	    REPLY_HELO_FIRST,
	    REPLY_NESTED_MAIL,
	    REPLY_MAIL_FIRST,
	    REPLY_RCPT_FIRST,
	    REPLY_SEQUENCE,
	    REPLY_PARAMETER_UNKNOWN,
	    REPLY_NO_RELAY,
	    REPLY_BARE,
	    REPLY_SIZE,
	    REPLY_UTF8,
	    REPLY_HOPS,
	};

	for (size_t i = 0; i < ROWS(named); i++) {
		const char *text = named[i];

		CHECK_AT(reply_code(text, strlen(text), false) > 0, i);
		CHECK_AT(text[4] == text[0] && text[5] == '.', i);
		/* Room for what HELP and 501 add. */
		CHECK_AT(strlen(text) < 100, i);
	}
}

static void
spans_are_found(void)
{
	static const struct {
		const char *text;
		size_t span;
	} table[] = {
	    {"", 0},
	    {"250 a\n", 6},
	    {"250 a\r\n250 b\r\n", 7},
	    {"250-a\n250 b\n250 c\n", 12},
	    {"250-a\n250\nx", 10},
	    {"250-a\n", 6},
	    {"250-a", 5},
	    {"x\n250 a\n", 2},
	    {"\n250 a\n", 1},
	};

	for (size_t i = 0; i < ROWS(table); i++)
		CHECK_AT(reply_span(table[i].text, strlen(table[i].text)) ==
			     table[i].span,
		    i);
}

void
units_reply(void)
{
	replies_are_judged();
	every_octet_of_a_text();
	limits_hold();
	named_replies_are_replies();
	spans_are_found();
}
