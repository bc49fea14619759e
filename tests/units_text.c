/* Units of what makes text of things: number, date, utf8, json, visible,
 * base64, and environment, which takes text apart. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base64.h"
#include "date.h"
#include "environment.h"
#include "json.h"
#include "number.h"
#include "text.h"
#include "units.h"
#include "utf8.h"
#include "visible.h"

static bool
same(const char *a, size_t a_length, const char *b)
{
	return a_length == strlen(b) && memcmp(a, b, a_length) == 0;
}

static void
clean_text(void)
{
	static const struct {
		const char *text;
		size_t length;
		bool clean;
	} rows[] = {
	    {TEXT(""), true},
	    {TEXT(" az~"), true},
	    {TEXT("\xC3\xA4\xC2\xA0\xF0\x9F\x98\x80"), true},
	    {TEXT("\0"), false},
	    {TEXT("a\x1F"), false},
	    {TEXT("\t"), false},
	    {TEXT("a\x7F"), false},
	    {TEXT("\xC2\x80"), false},
	    {TEXT("a\xC2\x9F"), false},
	    {TEXT("a\xC3"), false},
	    {TEXT("\xFF"), false},
	    {TEXT("\xC0\xA0"), false},
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		char *copy = exactly(rows[i].text, rows[i].length);
		CHECK_AT(
		    text_is_clean(copy, rows[i].length) == rows[i].clean, i);
		free(copy);
	}
}

static void
number_is_parsed(void)
{
	static const struct {
		const char *text;
		uint64_t max, value;
		bool good;
	} rows[] = {
	    {"0", 0, 0, true},
	    {"1", 0, 0, false},
	    {"007", 7, 7, true},
	    {"8", 7, 0, false},
	    {"65535", 65535, 65535, true},
	    {"65536", 65535, 0, false},
	    {"10", 9, 0, false},
	    {"18446744073709551615", UINT64_MAX, UINT64_MAX, true},
	    {"18446744073709551616", UINT64_MAX, 0, false},
	    {"99999999999999999999", UINT64_MAX, 0, false},
	    {"", 9, 0, false},
	    {"+1", 9, 0, false},
	    {"-1", 9, 0, false},
	    {" 1", 9, 0, false},
	    {"1 ", 9, 0, false},
	    {"1a", 99, 0, false},
	    {"/", 99, 0, false}, /* the neighbours of the digits */
	    {":", 99, 0, false},
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		uint64_t value = 42;
		bool good = number_parse(
		    rows[i].text, strlen(rows[i].text), rows[i].max, &value);
		CHECK(good == rows[i].good);
		CHECK(value == (good ? rows[i].value : 42));
	}
}

static void
number_is_written(void)
{
	static const struct {
		uint64_t value;
		const char *text;
	} rows[] = {
	    {0, "0"},
	    {9, "9"},
	    {10, "10"},
	    {33554432, "33554432"},
	    {UINT64_MAX, "18446744073709551615"},
	};
	char out[NUMBER_TEXT_MAX];

	for (size_t i = 0; i < ROWS(rows); i++)
		CHECK(
		    same(out, number_format(rows[i].value, out), rows[i].text));
}

static void
date_is_written(void)
{
	static const struct {
		int64_t seconds;
		const char *rfc5322, *rfc3339;
	} rows[] = {
	    {0, "Thu, 01 Jan 1970 00:00:00 +0000", "1970-01-01T00:00:00Z"},
	    {-1, "Wed, 31 Dec 1969 23:59:59 +0000", "1969-12-31T23:59:59Z"},
	    {951782400, "Tue, 29 Feb 2000 00:00:00 +0000",
		"2000-02-29T00:00:00Z"},
	    {951868800, "Wed, 01 Mar 2000 00:00:00 +0000",
		"2000-03-01T00:00:00Z"},
	    {1795310986, "Sun, 22 Nov 2026 01:29:46 +0000",
		"2026-11-22T01:29:46Z"},
	    /* No leap day in 2100. */
	    {4107542399, "Sun, 28 Feb 2100 23:59:59 +0000",
		"2100-02-28T23:59:59Z"},
	    {4107542400, "Mon, 01 Mar 2100 00:00:00 +0000",
		"2100-03-01T00:00:00Z"},
	    /* The first and the last second of four digits, and beyond. */
	    {-62167219200, "Sat, 01 Jan 0000 00:00:00 +0000",
		"0000-01-01T00:00:00Z"},
	    {-62167219201, "Sat, 01 Jan 0000 00:00:00 +0000",
		"0000-01-01T00:00:00Z"},
	    {253402300799, "Fri, 31 Dec 9999 23:59:59 +0000",
		"9999-12-31T23:59:59Z"},
	    {INT64_MAX, "Fri, 31 Dec 9999 23:59:59 +0000",
		"9999-12-31T23:59:59Z"},
	    {INT64_MIN, "Sat, 01 Jan 0000 00:00:00 +0000",
		"0000-01-01T00:00:00Z"},
	};
	char out[DATE_TEXT_MAX];

	for (size_t i = 0; i < ROWS(rows); i++) {
		size_t length = date_rfc5322(rows[i].seconds, out);
		CHECK(same(out, length, rows[i].rfc5322));
		CHECK(out[length] == '\0');
		length = date_rfc3339(rows[i].seconds, out);
		CHECK(same(out, length, rows[i].rfc3339));
		CHECK(out[length] == '\0');
	}
}

/* Every day of 10000 years, counted along by hand. */
static void
date_counts_every_day(void)
{
	static const int lengths[] = {
	    31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int64_t seconds = -62167219200;
	char out[DATE_TEXT_MAX];
	bool good = true;

	for (int year = 0; year < 10000; year++)
		for (int month = 0; month < 12; month++) {
			bool leap = (year % 4 == 0 && year % 100 != 0) ||
				    year % 400 == 0;
			int days = lengths[month] + (month == 1 && leap);
			for (int day = 1; day <= days; day++) {
				(void)date_rfc3339(seconds, out);
				good = good && atoi(out) == year &&
				       atoi(out + 5) == month + 1 &&
				       atoi(out + 8) == day;
				seconds += 86400;
			}
		}
	CHECK(good);
	CHECK(seconds == 253402300800);
}

static const struct {
	const char *text;
	bool good;
} utf8_rows[] = {
    {"", true},
    {"ASCII \x7F", true},
    {"\xC2\x80 \xDF\xBF", true},
    {"\xE0\xA0\x80 \xED\x9F\xBF \xEE\x80\x80 \xEF\xBF\xBF", true},
    {"\xF0\x90\x80\x80 \xF4\x8F\xBF\xBF", true},
    {"eight octets of ASCII \xC3\xA4 and then more of it", true},
    {"\x80", false},
    {"\xBF", false},
    {"\xC0\x80", false}, /* overlong */
    {"\xC1\xBF", false},
    {"\xE0\x9F\xBF", false},
    {"\xF0\x8F\xBF\xBF", false},
    {"\xED\xA0\x80", false}, /* surrogates */
    {"\xED\xBF\xBF", false},
    {"\xF4\x90\x80\x80", false}, /* beyond U+10FFFF */
    {"\xF5\x80\x80\x80", false},
    {"\xFE", false},
    {"\xFF", false},
    {"\xC2", false}, /* cut */
    {"\xE2\x82", false},
    {"\xF0\x9F\x98", false},
    {"\xC2 ", false},
    {"\xE2\x82 ", false},
    {"\xF0\x9F\x98 ", false},
    {"\xC2\xC2\x80", false},
};

/* Whole, and cut into two everywhere. */
static void
utf8_is_judged(void)
{
	for (size_t i = 0; i < ROWS(utf8_rows); i++) {
		const char *text = utf8_rows[i].text;
		size_t length = strlen(text);
		for (size_t cut = 0; cut <= length; cut++) {
			struct utf8 utf8 = {0};
			bool good = utf8_check(&utf8, text, cut) &&
				    utf8_check(&utf8, text + cut, length - cut);
			CHECK((good && utf8.count == 0) == utf8_rows[i].good);
		}
	}
}

struct shown {
	const char *text, *json, *visible;
};

#define FFFD "\xEF\xBF\xBD"

static const struct shown shown_rows[] = {
    {"plain ~", "plain ~", "plain ~"},
    {"\"\\/", "\\\"\\\\/", "\"\\/"},
    {"\b\f\n\r\t", "\\b\\f\\n\\r\\t", "^H^L\n^M\t"},
    {"\x01\x1B[2J\x1F\x7F", "\\u0001\\u001b[2J\\u001f\\u007f", "^A^[[2J^_^?"},
    {"\xC2\x9B"
     "2J",
	"\\u009b2J", "M-BM-^[2J"},
    {"\xC2\xA0\xC3\xA4\xF0\x9F\x98\x80", "\xC2\xA0\xC3\xA4\xF0\x9F\x98\x80",
	"\xC2\xA0\xC3\xA4\xF0\x9F\x98\x80"},
    {"\x9B"
     "2J\xFF",
	FFFD "2J" FFFD, "M-^[2JM-^?"},
    {"\xE2\x82", FFFD, "M-bM-^B"},
    {"\xE2\x82x\xC2\xC2\xA0", FFFD "x" FFFD "\xC2\xA0", "M-bM-^BxM-B\xC2\xA0"},
    {"\xF0\x9F\x98\xF0\x9F\x98\x80", FFFD "\xF0\x9F\x98\x80",
	"M-pM-^_M-^X\xF0\x9F\x98\x80"},
    {"\xE2\x82\n", FFFD "\\n", "M-bM-^B\n"},
};

/* Every octet by itself, then cut into two everywhere. */
static void
text_is_shown(const struct shown *row)
{
	size_t length = strlen(row->text);
	char out[JSON_ESCAPED_MAX(64)];

	for (size_t cut = 0; cut <= length; cut++) {
		struct utf8 utf8 = {0};
		size_t end = json_escape(&utf8, row->text, cut, out);
		end += json_escape(
		    &utf8, row->text + cut, length - cut, out + end);
		end += json_escape_end(&utf8, out + end);
		CHECK(same(out, end, row->json));
		end = visible(&utf8, row->text, cut, out);
		end += visible(&utf8, row->text + cut, length - cut, out + end);
		end += visible_end(&utf8, out + end);
		CHECK(same(out, end, row->visible));
		CHECK(utf8.count == 0);
	}
}

/* Nothing writes more than its header says, whatever was held before. */
static void
maxima_hold(void)
{
	static const char *const worst[] = {"\x01\x01", "\x80\x80", "\xFF\x01"};
	char out[JSON_ESCAPED_MAX(8)];

	for (size_t i = 0; i < ROWS(worst); i++) {
		struct utf8 utf8 = {.octets = {0xF0, 0x9F, 0x98}, .count = 3};
		struct utf8 again = utf8, end = utf8;
		CHECK(json_escape(&utf8, worst[i], 2, out) <=
		      JSON_ESCAPED_MAX(2));
		CHECK(visible(&again, worst[i], 2, out) <= VISIBLE_MAX(2));
		CHECK(visible_end(&end, out) <= VISIBLE_MAX(0));
	}
}

static void
nul_is_text(void)
{
	struct utf8 utf8 = {0};
	char out[JSON_ESCAPED_MAX(3)];

	CHECK(utf8_check(&utf8, "a\0b", 3) && utf8.count == 0);
	CHECK(same(out, json_escape(&utf8, "a\0b", 3, out), "a\\u0000b"));
	CHECK(same(out, visible(&utf8, "a\0b", 3, out), "a^@b"));
}

/* The vectors of RFC 4648 10 and all 64 letters, cut into two everywhere. */
static void
base64_is_written(void)
{
	static const struct {
		const char *octets, *text;
	} rows[] = {
	    {"", ""},
	    {"f", "Zg=="},
	    {"fo", "Zm8="},
	    {"foo", "Zm9v"},
	    {"foob", "Zm9vYg=="},
	    {"fooba", "Zm9vYmE="},
	    {"foobar", "Zm9vYmFy"},
	    {"\xFB\xFF\xBF\xFE", "+/+//g=="},
	};
	char out[BASE64_ENCODED_MAX(64)];

	for (size_t i = 0; i < ROWS(rows); i++) {
		size_t length = strlen(rows[i].octets);
		for (size_t cut = 0; cut <= length; cut++) {
			struct base64_encoder encoder = {0};
			size_t end =
			    base64_encode(&encoder, rows[i].octets, cut, out);
			end += base64_encode(&encoder, rows[i].octets + cut,
			    length - cut, out + end);
			end += base64_encode_end(&encoder, out + end);
			CHECK(same(out, end, rows[i].text));
			CHECK(end == BASE64_ENCODED_MAX(length));
		}
	}
}

static bool
set(const char *name, const char *value)
{
	return (value ? setenv(name, value, 1) : unsetenv(name)) == 0;
}

static void
words_are_taken(void)
{
	struct piece words = {.text = " a  bc ", .length = 7}, word;

	CHECK(piece_next_word(&words, &word));
	CHECK(same(word.text, word.length, "a"));
	CHECK(piece_next_word(&words, &word));
	CHECK(same(word.text, word.length, "bc"));
	CHECK(!piece_next_word(&words, &word));
	CHECK(!piece_next_word(&words, &word));

	/* A word ends with its line, not with the string. */
	words = (struct piece){.text = "a b\nc", .length = 3};
	CHECK(piece_next_word(&words, &word));
	CHECK(piece_next_word(&words, &word));
	CHECK(same(word.text, word.length, "b"));
	CHECK(!piece_next_word(&words, &word));

	words = (struct piece){.text = "", .length = 0};
	CHECK(piece_next_line(&words, &word) && word.length == 0);
	CHECK(!piece_next_line(&words, &word));
}

static void
recipients_are_taken(void)
{
	struct recipients all;
	struct piece address, options;

	CHECK(set("RECIPIENTS", "a@b\nc@d\na@b"));
	CHECK(set("SMTP_RCPT_OPTIONS", "\nNOTIFY=NEVER X\n"));
	all = environment_recipients();
	CHECK(recipients_next(&all, &address, &options));
	CHECK(same(address.text, address.length, "a@b") && !options.text);
	CHECK(recipients_next(&all, &address, &options));
	CHECK(same(address.text, address.length, "c@d"));
	CHECK(same(options.text, options.length, "NOTIFY=NEVER X"));
	CHECK(recipients_next(&all, &address, &options));
	CHECK(same(address.text, address.length, "a@b") && !options.text);
	CHECK(!recipients_next(&all, &address, &options));

	CHECK(set("SMTP_RCPT_OPTIONS", NULL));
	all = environment_recipients();
	CHECK(recipients_next(&all, &address, &options) && !options.text);
	CHECK(set("RECIPIENTS", ""));
	all = environment_recipients();
	CHECK(!recipients_next(&all, &address, &options));
	CHECK(set("RECIPIENTS", NULL));
	all = environment_recipients();
	CHECK(!recipients_next(&all, &address, &options));
	CHECK(!environment_value("RECIPIENTS").text);
}

void
units_text(void)
{
	clean_text();
	number_is_parsed();
	number_is_written();
	date_is_written();
	date_counts_every_day();
	utf8_is_judged();
	for (size_t i = 0; i < ROWS(shown_rows); i++)
		text_is_shown(&shown_rows[i]);
	maxima_hold();
	nul_is_text();
	base64_is_written();
	words_are_taken();
	recipients_are_taken();
}
