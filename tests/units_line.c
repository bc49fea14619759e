/* Units of command lines: what ends them, how long they may be, and that no
 * way of cutting what arrives changes them. */
#include "line.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "units.h"

/* Adds to log what one call found. */
static void
note(char *log, enum line_found found, const char *text, size_t length)
{
	char *at = log + strlen(log);

	switch (found) {
	case LINE_NONE:
		break;
	case LINE_WHOLE:
		sprintf(at, "[%.*s]", (int)length, text);
		break;
	case LINE_LONG:
		sprintf(at, "long ");
		break;
	case LINE_BARE:
		sprintf(at, "bare ");
		break;
	}
}

/* All that is found in text, in pieces of so many octets (0: random). */
static void
take(const char *text, size_t length, bool strict, size_t piece, char *log)
{
	struct line line = {.strict = strict};

	*log = '\0';
	for (size_t at = 0, n; at < length; at += n) {
		char *copy, *input, *found;
		size_t left, found_length;
		enum line_found what;

		n = piece ? piece : 1 + chance(7);
		if (n > length - at)
			n = length - at;
		input = copy = exactly(text + at, n);
		left = n;
		do {
			what = line_take(
			    &line, &input, &left, &found, &found_length);
			CHECK(input == copy + (n - left));
			note(log, what, found, found_length);
		} while (what != LINE_NONE);
		CHECK(left == 0);
		free(copy);
	}
}

static const struct {
	const char *text;
	const char *strict;
	const char *loose;
} rows[] = {
    {"", "", ""},
    {"NOOP", "", ""},
    {"NOOP\r\n", "[NOOP]", "[NOOP]"},
    {"\r\n", "[]", "[]"},
    {"a\r\nb\r\n", "[a][b]", "[a][b]"},
    {"a\n", "bare ", "[a]"},
    {"a\nb\r\nc\r\n", "bare [c]", "[a][b][c]"},
    {"a\n\n\nb\r\nc\r\n", "bare bare bare [c]", "[a][][][b][c]"},
    {"\n\r\n", "bare ", "[][]"},
    {"\n\n\n\r\nc\r\n", "bare bare bare [c]", "[][][][][c]"},
    /* A bare CR ends nothing. */
    {"a\rb\r\n", "[a\rb]", "[a\rb]"},
    {"a\r\r\n", "[a\r]", "[a\r]"},
    {"a\r", "", ""},
    {"\r\r\r\n", "[\r\r]", "[\r\r]"},
    {"\n\r", "bare ", "[]"},
    {"a\n\r\nb\r\n", "bare [b]", "[a][][b]"},
    /* The CR that ended a line is not one for the next. */
    {"a\r\n\nb\r\nc\r\n", "[a]bare [c]", "[a][][b][c]"},
};

static void
lines_end(void)
{
	char log[256];

	for (size_t i = 0; i < ROWS(rows); i++) {
		size_t length = strlen(rows[i].text);

		for (size_t piece = 0; piece <= length + 1; piece++) {
			take(rows[i].text, length, true, piece, log);
			CHECK_AT(strcmp(log, rows[i].strict) == 0, i);
			take(rows[i].text, length, false, piece, log);
			CHECK_AT(strcmp(log, rows[i].loose) == 0, i);
		}
	}
}

static void
lines_fit(void)
{
	static char text[3 * LINE_MAX_OCTETS], want[sizeof text],
	    log[2 * sizeof text];
	static const size_t pieces[] = {
	    0, 1, 511, LINE_MAX_OCTETS - 1, LINE_MAX_OCTETS, sizeof text};

	for (size_t n = LINE_MAX_OCTETS - 2; n <= LINE_MAX_OCTETS + 2; n++) {
		size_t length = n;

		memset(text, 'x', sizeof text);
		memcpy(text + n - 2, "\r\nb\r\n", 5);
		length = n + 3;
		if (n <= LINE_MAX_OCTETS)
			sprintf(want, "[%.*s][b]", (int)n - 2, text);
		else
			strcpy(want, "long [b]");
		for (size_t i = 0; i < ROWS(pieces); i++) {
			take(text, length, true, pieces[i], log);
			CHECK_AT(strcmp(log, want) == 0, n);
			take(text, length, false, pieces[i], log);
			CHECK_AT(strcmp(log, want) == 0, n);
		}
	}
	/* A bare LF in what is swallowed is one more error where lines end in
	 * CRLF only, and the end of the line elsewhere. */
	memset(text, 'x', sizeof text);
	memcpy(text + 2 * LINE_MAX_OCTETS, "\nb\r\nc\r\n", 7);
	for (size_t i = 0; i < ROWS(pieces); i++) {
		take(text, 2 * LINE_MAX_OCTETS + 7, true, pieces[i], log);
		CHECK_AT(strcmp(log, "long bare [c]") == 0, i);
		take(text, 2 * LINE_MAX_OCTETS + 7, false, pieces[i], log);
		CHECK_AT(strcmp(log, "long [b][c]") == 0, i);
	}
}

static void
random_lines(void)
{
	static const char letters[] = "\r\n\r\nab";
	char text[32], whole[256], log[256];

	for (int i = 0; i < 5000; i++) {
		size_t n = chance(sizeof text);
		bool strict = i % 2;

		for (size_t k = 0; k < n; k++)
			text[k] = letters[chance(sizeof letters - 1)];
		take(text, n, strict, sizeof text, whole);
		take(text, n, strict, 1, log);
		CHECK_AT(strcmp(whole, log) == 0, i);
		take(text, n, strict, 0, log);
		CHECK_AT(strcmp(whole, log) == 0, i);
	}
}

void
units_line(void)
{
	lines_end();
	lines_fit();
	random_lines();
}
