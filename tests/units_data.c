/* Units of the DATA decoder: every sequence that ended a message somewhere
 * (SMTP smuggling, CVE-2023-51764 and its kin), under every policy, cut in
 * every way, held against a decoder that is slow and obvious. */
#include "data.h"

#include <stdlib.h>
#include <string.h>

#include "units.h"

#define ROOM 8192

/* What a decoder made of a text. */
struct result {
	bool bad, ended;
	size_t used;
	uint64_t size;
	size_t length;
	char out[ROOM];
};

static void
put(struct result *result, const char *text, size_t length)
{
	if (length > sizeof result->out - result->length)
		abort();
	if (length > 0)
		memcpy(result->out + result->length, text, length);
	result->length += length;
}

static bool
begins(const char *text, size_t length, const char *with)
{
	size_t n = strlen(with);

	return length >= n && memcmp(text, with, n) == 0;
}

/* RFC 5321 4.5.2 and contract section 5 over a whole text, octet by octet. */
static void
obvious(const char *text, size_t length, enum data_newline newline, bool crlf,
    struct result *result)
{
	bool terminal = newline == DATA_TERMINAL, line_start = true;
	size_t at = 0;

	*result = (struct result){0};
	while (at < length && !result->ended) {
		const char *c = text + at;
		size_t left = length - at, end = 0;

		if (line_start && begins(c, left, ".\r\n"))
			end = 3;
		else if (line_start && terminal && begins(c, left, ".\n"))
			end = 2;
		if (end > 0) {
			result->ended = true;
			at += end;
			continue;
		}
		if (line_start && *c == '.') {
			at++;
			line_start = false;
			continue;
		}
		line_start = false;
		if (begins(c, left, "\r\n") ||
		    (*c == '\n' && newline != DATA_REJECT)) {
			line_start = *c == '\r' || terminal;
			at += *c == '\r' ? 2 : 1;
			put(result, crlf ? "\r\n" : "\n", crlf ? 2 : 1);
			result->size += 2;
			continue;
		}
		if (*c == '\n' || (*c == '\r' && left > 1))
			result->bad = true;
		put(result, c, 1);
		result->size++;
		at++;
	}
	result->used = at;
	if (result->bad)
		result->length = 0;
}

/* The decoder itself; cuts[i] says that a piece ends before octet i. */
static void
decode(const char *text, size_t length, const bool *cuts,
    enum data_newline newline, bool crlf, struct result *result)
{
	struct data data = {.newline = newline, .crlf = crlf};

	*result = (struct result){0};
	for (size_t at = 0, next; at < length && !data.ended; at = next) {
		size_t shift = chance(16);
		char *copy, *left, *end;

		for (next = at + 1; next < length && !cuts[next]; next++)
			continue;
		/* At any alignment, with nothing behind it. */
		copy = malloc(shift + next - at);
		if (!copy)
			abort();
		left = copy + shift;
		end = left + (next - at);
		memcpy(left, text + at, next - at);
		while (left < end && !data.ended) {
			const char *piece;
			size_t n, room = (size_t)(end - left);
			size_t used =
			    data_decode(&data, left, room, &piece, &n);

			CHECK(used <= room && (used > 0 || n > 0));
			put(result, piece, n);
			left += used;
			result->used += used;
		}
		free(copy);
	}
	result->bad = data.bad;
	result->ended = data.ended;
	result->size = data.size;
	/* What came out before it was found to be bad is void. */
	if (data.bad)
		result->length = 0;
}

static bool
same(const struct result *a, const struct result *b)
{
	if (a->bad != b->bad || a->ended != b->ended || a->used != b->used)
		return false;
	/* The size of what is bad is nobody's business. */
	return a->bad || (a->size == b->size && a->length == b->length &&
			     memcmp(a->out, b->out, a->length) == 0);
}

enum { CUT_NOWHERE, CUT_EVERYWHERE, CUT_ONCE, CUT_RANDOMLY };

static void
cut(bool *cuts, size_t length, int how, size_t where)
{
	for (size_t i = 0; i < length; i++)
		cuts[i] = how == CUT_EVERYWHERE ||
			  (how == CUT_ONCE && i == where) ||
			  (how == CUT_RANDOMLY && chance(4) == 0);
}

/* All of it, whole and in every way of cutting: the same. The last pieces of
 * a text without an end are not compared: their line end may be owed. */
static void
is_decoded(const char *text, size_t length, enum data_newline newline,
    bool crlf, struct result *result)
{
	static struct result want, got;
	static bool cuts[ROOM];

	obvious(text, length, newline, crlf, &want);
	cut(cuts, length, CUT_NOWHERE, 0);
	decode(text, length, cuts, newline, crlf, result);
	if (want.ended)
		CHECK(same(&want, result));
	cut(cuts, length, CUT_EVERYWHERE, 0);
	decode(text, length, cuts, newline, crlf, &got);
	CHECK(same(result, &got));
	for (size_t i = 1; i < length; i++) {
		cut(cuts, length, CUT_ONCE, i);
		decode(text, length, cuts, newline, crlf, &got);
		CHECK_AT(same(result, &got), i);
	}
	for (size_t i = 0; i < 20; i++) {
		cut(cuts, length, CUT_RANDOMLY, 0);
		decode(text, length, cuts, newline, crlf, &got);
		CHECK_AT(same(result, &got), i);
	}
}

/* What stands between "body" and "MAIL FROM". */
static const struct {
	const char *text;
	size_t length;
	bool reject;    /* bad with DATA_REJECT */
	bool normalize; /* with DATA_NORMALIZE, and with DATA_TERMINAL */
	bool terminal;  /* ends with DATA_TERMINAL */
} sequences[] = {
    {TEXT("\n.\n"), true, false, true}, /* Sendmail, Postfix, mailfront */
    {TEXT("\n.\r\n"), true, false, true},
    {TEXT("\r\n.\n"), true, false, true},
    {TEXT("\r.\r"), true, true, false},
    {TEXT("\r.\n"), true, true, false},
    {TEXT("\n.\r"), true, true, false},
    {TEXT("\r\n.\r"), true, true, false},
    {TEXT("\n\r.\n"), true, true, false}, /* mailfront */
    {TEXT("\r.\r\n"), true, true, false}, /* Exim */
    {TEXT("\r\n.\r\r\n"), true, true, false},
    {TEXT("\r\r\n.\r\r\n"), true, true, false},
    {TEXT("\r.\r\r\n"), true, true, false},
    {TEXT("\r\n\0.\r\n"), false, false, false}, /* C strings */
    {TEXT("\r\n.\0\r\n"), false, false, false},
    {TEXT("\r\n..\r\n"), false, false, false},
    {TEXT("\r\n.x\r\n"), false, false, false},
    {TEXT("\r\n. \r\n"), false, false, false},
    {TEXT("\r\n .\r\n"), false, false, false},
    {TEXT("\n..\r\n"), true, false, false},
    {TEXT("\n..\n"), true, false, false},
    {TEXT("\n\n.\n\n"), true, false, true},
    {TEXT("\r\n\x8a.\r\n"), false, false, false}, /* seven-bit LF */
    {TEXT("\r\n\v.\r\n"), false, false, false},
    {TEXT("\r\n\x85.\x85"), false, false, false}, /* NEL */
    {TEXT("\r\n\xE2\x80\xA8.\r\n"), false, false, false},
};

static void
only_crlf_dot_crlf_ends(void)
{
	static const char head[] = "Subject: x\r\n\r\nbody";
	static const char tail[] = "MAIL FROM:<evil@x>\r\nRCPT TO:<y@z>\r\n"
				   "DATA\r\nevil\r\n.\r\n";
	static struct result result;
	char text[256];

	for (size_t i = 0; i < ROWS(sequences); i++) {
		size_t early = sizeof head - 1 + sequences[i].length;
		size_t length = early + sizeof tail - 1;

		memcpy(text, head, sizeof head - 1);
		memcpy(text + sizeof head - 1, sequences[i].text,
		    sequences[i].length);
		memcpy(text + early, tail, sizeof tail - 1);
		for (int crlf = 0; crlf < 2; crlf++) {
			is_decoded(text, length, DATA_REJECT, crlf, &result);
			CHECK_AT(result.ended && result.used == length, i);
			CHECK_AT(result.bad == sequences[i].reject, i);
			is_decoded(text, length, DATA_NORMALIZE, crlf, &result);
			CHECK_AT(result.ended && result.used == length, i);
			CHECK_AT(result.bad == sequences[i].normalize, i);
			is_decoded(text, length, DATA_TERMINAL, crlf, &result);
			CHECK_AT(result.ended && (result.used < length) ==
						     sequences[i].terminal,
			    i);
			CHECK_AT(result.bad == sequences[i].normalize, i);
		}
	}
}

/* Texts and what comes out of them. size is 0 where it is bad. */
static const struct {
	const char *text;
	enum data_newline newline;
	const char *lf;
	const char *crlf;
	uint64_t size; /* RFC 1870 3: no stuffed dots, no final dot */
} texts[] = {
    {".\r\n", DATA_REJECT, "", "", 0}, /* CPython waits for ever */
    {".\r\n", DATA_NORMALIZE, "", "", 0},
    {".\n", DATA_TERMINAL, "", "", 0},
    {"\r\n.\r\n", DATA_REJECT, "\n", "\r\n", 2},
    {"a\r\n.\r\n", DATA_REJECT, "a\n", "a\r\n", 3},
    {"..\r\n.\r\n", DATA_REJECT, ".\n", ".\r\n", 3},
    {"..a\r\n.\r\n", DATA_REJECT, ".a\n", ".a\r\n", 4},
    {".a\r\n.\r\n", DATA_REJECT, "a\n", "a\r\n", 3},
    {"...\r\n.\r\n", DATA_REJECT, "..\n", "..\r\n", 4},
    {"a..\r\n.\r\n", DATA_REJECT, "a..\n", "a..\r\n", 5},
    {"a\nb\r\n.\r\n", DATA_NORMALIZE, "a\nb\n", "a\r\nb\r\n", 6},
    {"a\n\n\nb\r\n.\r\n", DATA_NORMALIZE, "a\n\n\nb\n", "a\r\n\r\n\r\nb\r\n",
	10},
    /* A dot behind a bare LF is data, and no stuffing. */
    {"a\n.\r\n.\r\n", DATA_NORMALIZE, "a\n.\n", "a\r\n.\r\n", 6},
    {"a\n..b\r\n.\r\n", DATA_NORMALIZE, "a\n..b\n", "a\r\n..b\r\n", 8},
    {"\n.\n\r\n.\r\n", DATA_NORMALIZE, "\n.\n\n", "\r\n.\r\n\r\n", 7},
    /* At a terminal LF is the line end, and CRLF is one, too. */
    {"a\nb\n.\n", DATA_TERMINAL, "a\nb\n", "a\r\nb\r\n", 6},
    {"a\n..b\n.\n", DATA_TERMINAL, "a\n.b\n", "a\r\n.b\r\n", 7},
    {"a\r\n..b\n.\r\n", DATA_TERMINAL, "a\n.b\n", "a\r\n.b\r\n", 7},
    {"\xff\x80\x01\x7f\r\n.\r\n", DATA_REJECT, "\xff\x80\x01\x7f\n",
	"\xff\x80\x01\x7f\r\n", 6},
};

static void
what_comes_out(void)
{
	static struct result result;

	for (size_t i = 0; i < ROWS(texts); i++)
		for (int crlf = 0; crlf < 2; crlf++) {
			const char *want = crlf ? texts[i].crlf : texts[i].lf;

			is_decoded(texts[i].text, strlen(texts[i].text),
			    texts[i].newline, crlf, &result);
			CHECK_AT(result.ended && !result.bad, i);
			CHECK_AT(result.used == strlen(texts[i].text), i);
			CHECK_AT(result.size == texts[i].size, i);
			CHECK_AT(
			    result.length == strlen(want) &&
				memcmp(result.out, want, strlen(want)) == 0,
			    i);
		}
}

/* All 256 octets and lines of every length around a machine word: what is not
 * CR, LF or a leading dot passes unchanged. */
static void
octets_pass(void)
{
	static struct result result;
	char text[300];

	for (size_t n = 0; n < 40; n++)
		for (int c = 0; c < 256; c++) {
			static struct data data;
			const char *piece;
			size_t length;

			if (c == '\r' || c == '\n' || c == '.')
				continue;
			memset(text, c, n);
			memcpy(text + n, "\r\n.\r\n", 5);
			data = (struct data){.crlf = true};
			CHECK_AT(data_decode(&data, text, n + 5, &piece,
				     &length) == n + 5,
			    c);
			CHECK_AT(data.ended && !data.bad, c);
			CHECK_AT(length == n + 2 && data.size == n + 2, c);
			CHECK_AT(memcmp(piece, text, n) == 0 &&
				     (n == 0 || text[n - 1] == (char)c),
			    c);
		}
	for (int c = 0; c < 256; c++)
		text[c] = c == '\r' || c == '\n' ? ' ' : (char)c;
	memcpy(text + 256, "\r\n.\r\n", 5);
	is_decoded(text, 261, DATA_REJECT, true, &result);
	CHECK(result.length == 258 && memcmp(result.out, text, 258) == 0);
}

/* CRLF.CRLF across the boundaries that readers have. */
static void
the_end_straddles_buffers(void)
{
	static const size_t boundaries[] = {1024, 4096};
	static char text[ROOM];
	static bool cuts[ROOM];
	static struct result result;

	for (size_t i = 0; i < ROWS(boundaries); i++)
		for (size_t at = boundaries[i] - 6; at <= boundaries[i] + 1;
		     at++) {
			memset(text, 'x', sizeof text);
			memcpy(text + at, "\r\n.\r\n", 5);
			cut(cuts, sizeof text, CUT_ONCE, boundaries[i]);
			decode(text, sizeof text, cuts, DATA_REJECT, false,
			    &result);
			CHECK_AT(result.ended && result.used == at + 5, at);
			CHECK_AT(result.length == at + 1, at);
			CHECK_AT(result.size == at + 2, at);
		}
}

static void
random_texts(void)
{
	static const char letters[] = "\r\n.\r\n.\r\n.ax";
	static const enum data_newline policies[] = {
	    DATA_REJECT, DATA_NORMALIZE, DATA_TERMINAL};
	static struct result result;
	char text[40];

	for (int i = 0; i < 3000; i++) {
		size_t n = chance(20), end = chance(3) ? 5 : 0;

		for (size_t k = 0; k < n; k++)
			text[k] = letters[chance(sizeof letters - 1)];
		memcpy(text + n, "\r\n.\r\n", 5);
		is_decoded(text, n + end, policies[i % 3], i / 3 % 2, &result);
	}
}

/* Lines longer than what is looked at at once, and octets that are nearly a CR
 * or LF. */
static void
random_lines(void)
{
	static const char near[] = "\x0b\x0c\x0e\x0f\x8a\x8d.";
	static const enum data_newline policies[] = {
	    DATA_REJECT, DATA_NORMALIZE, DATA_TERMINAL};
	static struct result result;
	char text[120];

	for (int i = 0; i < 600; i++) {
		enum data_newline newline = policies[i % 3];
		size_t n = 0, most = chance(100);
		unsigned ends = 8 + chance(40);

		while (n < most) {
			char any = (char)chance(256);

			if (chance(ends) == 0) {
				if (newline == DATA_REJECT || chance(4))
					text[n++] = '\r';
				text[n++] = '\n';
			} else if (chance(4) == 0) {
				text[n++] = near[chance(sizeof near - 1)];
			} else if ((any != '\r' && any != '\n') ||
				   chance(8) == 0) {
				text[n++] = any;
			}
		}
		memcpy(text + n, "\r\n.\r\n", 5);
		is_decoded(text, n + 5, newline, i / 3 % 2, &result);
	}
}

void
units_data(void)
{
	only_crlf_dot_crlf_ends();
	what_comes_out();
	octets_pass();
	the_end_straddles_buffers();
	random_texts();
	random_lines();
}
