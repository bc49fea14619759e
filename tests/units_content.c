/* Units of content on its way out: dots, line ends, what it asks of upstream;
 * and of what upstream says on its way to the client. */
#include "content.h"

#include <stdlib.h>
#include <string.h>

#include "dots.h"
#include "quote.h"
#include "units.h"

static const struct {
	const char *text;
	size_t length;
	const char *wire; /* NULL: bad */
} messages[] = {
    {TEXT(""), ".\r\n"},
    {TEXT("\n"), "\r\n.\r\n"},
    {TEXT("\r\n"), "\r\n.\r\n"},
    {TEXT("."), "..\r\n.\r\n"},
    {TEXT(".\n"), "..\r\n.\r\n"},
    {TEXT(".\n.\n..\n"), "..\r\n..\r\n...\r\n.\r\n"},
    {TEXT(".\r\n.\r\n"), "..\r\n..\r\n.\r\n"},
    {TEXT("a\n.b\n"), "a\r\n..b\r\n.\r\n"},
    {TEXT("a"), "a\r\n.\r\n"},
    {TEXT("a.\n"), "a.\r\n.\r\n"},
    {TEXT("a\r\nb\nc"), "a\r\nb\r\nc\r\n.\r\n"},
    {TEXT("\n\n.\n\n"), "\r\n\r\n..\r\n\r\n.\r\n"},
    {TEXT("\xff\x80\n"), "\xff\x80\r\n.\r\n"},
    {TEXT("a\rb\n"), NULL},
    {TEXT("a\r\r\n"), NULL},
    {TEXT("a\r"), NULL},
    {TEXT("\r.\r\n"), NULL},
};

/* Encodes in pieces of in octets, into room for out. */
static size_t
encode(const char *text, size_t length, size_t in, size_t out, char *wire,
    bool *bad)
{
	struct dots dots = {0};
	size_t n = 0;

	for (size_t at = 0, piece; at < length; at += piece) {
		char *copy;
		const char *rest;
		size_t left;

		piece = in < length - at ? in : length - at;
		left = piece;
		rest = copy = exactly(text + at, piece);
		while (left > 0 && !dots.bad) {
			char *room = exactly("", 0);
			size_t before = left, wrote;

			free(room);
			room = malloc(out);
			if (!room)
				abort();
			wrote = dots_encode(&dots, &rest, &left, room, out);
			CHECK(wrote <= out && left < before + dots.bad);
			memcpy(wire + n, room, wrote);
			n += wrote;
			free(room);
		}
		free(copy);
	}
	n += dots_end(&dots, wire + n);
	*bad = dots.bad;
	return n;
}

static void
dots_are_doubled(void)
{
	for (size_t i = 0; i < ROWS(messages); i++) {
		for (size_t in = 1; in < 9; in++) {
			for (size_t out = 3; out < 9; out++) {
				const char *want = messages[i].wire;
				char wire[64];
				bool bad;
				size_t n = encode(messages[i].text,
				    messages[i].length, in, out, wire, &bad);

				CHECK_AT(bad == !want, i);
				CHECK_AT(
				    !want || (n == strlen(want) &&
						 memcmp(wire, want, n) == 0),
				    i);
			}
		}
	}
}

static const struct {
	const char *text;
	size_t length;
	uint64_t size, header_end;
	const char *traits; /* n NUL, r bare CR, l bare LF, u unfinished,
			     * 8 eight bit, h in the header */
} contents[] = {
    {TEXT(""), 0, 0, ""},
    {TEXT("\n"), 2, 0, "l"},
    {TEXT("\r\n"), 2, 0, ""},
    {TEXT("a: b\n\nc\n"), 11, 5, "l"},
    {TEXT("a: b\r\n\r\nc\r\n"), 11, 6, ""},
    {TEXT("a: b\n\n\xff\n"), 11, 5, "l8"},
    {TEXT("a: \xff\n\nc\n"), 11, 5, "l8h"},
    {TEXT("a: b\n c"), 10, 7, "lu"},
    {TEXT("a\rb\n"), 4, 4, "rl"},
    {TEXT("a\r"), 3, 2, "ru"},
    {TEXT("a\r\r\n"), 3, 4, "r"},
    {TEXT("\0\n"), 3, 2, "nl"},
    {TEXT("\r\n\0\r\n"), 5, 0, "n"},
};

static void
content_is_seen(void)
{
	for (size_t i = 0; i < ROWS(contents); i++) {
		for (size_t piece = 1; piece < 14; piece++) {
			struct content c = {0};
			char traits[8] = "";

			for (size_t at = 0; at < contents[i].length;
			     at += piece) {
				size_t n = contents[i].length - at;
				char *copy;

				n = n < piece ? n : piece;
				copy = exactly(contents[i].text + at, n);
				content_look(&c, copy, n);
				free(copy);
			}
			content_end(&c);
			strcat(traits, c.nul ? "n" : "");
			strcat(traits, c.bare_return ? "r" : "");
			strcat(traits, c.bare_newline ? "l" : "");
			strcat(traits, c.unfinished ? "u" : "");
			strcat(traits, c.eight_bit ? "8" : "");
			strcat(traits, c.header_eight_bit ? "h" : "");
			CHECK_AT(c.size == contents[i].size, i);
			CHECK_AT(c.header_end == contents[i].header_end, i);
			CHECK_AT(strcmp(traits, contents[i].traits) == 0, i);
		}
	}
}

/* Blocks of a body are looked at together: the same is seen one by one. */
static void
content_is_seen_in_blocks(void)
{
	static const char kinds[] = "\r\n\r\n\0\xff"
				    "abcdefghijklmnopqrstuvwxyz";
	unsigned next = 1;

	for (size_t i = 0; i < 20000; i++) {
		struct content whole = {0}, parts = {0};
		char text[4 * CONTENT_BLOCK] = "\n";
		size_t some = i % 2 ? sizeof kinds - 1 : 3 + i % 5;

		for (size_t at = 2; at < sizeof text; at++) {
			next = next * 1103515245 + 12345;
			text[at] = kinds[(next >> 16) % some];
			/* Whole line ends, most often. */
			if (i % 3 && text[at] == '\n')
				text[at - 1] = '\r';
		}
		for (size_t at = 0; at < sizeof text; at++)
			content_look(&parts, text + at, 1);
		content_look(&whole, text, sizeof text);
		content_end(&parts);
		content_end(&whole);
		CHECK_AT(whole.size == parts.size, i);
		CHECK_AT(whole.at == parts.at && whole.begun == parts.begun, i);
		CHECK_AT(whole.nul == parts.nul, i);
		CHECK_AT(whole.bare_return == parts.bare_return, i);
		CHECK_AT(whole.bare_newline == parts.bare_newline, i);
		CHECK_AT(whole.unfinished == parts.unfinished, i);
		CHECK_AT(whole.eight_bit == parts.eight_bit, i);
	}
}

static const struct {
	bool utf8;
	int code;
	const char *text, *who, *reply;
} quotes[] = {
    {false, 550, "5.1.1 no", NULL, "550 5.1.1 no\n"},
    {false, 550, "no", NULL, "550 no\n"},
    {false, 550, "", NULL, "550 Upstream gives no reason\n"},
    {false, 250, "", NULL, "250 OK\n"},
    {false, 550, "5.7.2", NULL, "550 5.7.2\n"}, /* CVE-2026-43964 */
    {false, 550, "5.7.2 a\n5.7.2 b", NULL, "550-5.7.2 a\n550 5.7.2 b\n"},
    {false, 550, "5.1.1 no", "a@b", "550 5.1.1 <a@b>: no\n"},
    {false, 550, "5.1.1 <A@b>: no", "a@b", "550 5.1.1 <A@b>: no\n"},
    {false, 550, "5.1.1", "a@b", "550 5.1.1 <a@b>:\n"},
    /* Another address that this one is a part of does not name it. */
    {false, 550, "aa@b no", "a@b", "550 <a@b>: aa@b no\n"},
    {false, 550, "x.a@b no", "a@b", "550 <a@b>: x.a@b no\n"},
    {false, 550, "x'a@b no", "a@b", "550 <a@b>: x'a@b no\n"},
    {false, 550, "a@b.c no", "a@b", "550 <a@b>: a@b.c no\n"},
    {false, 550, "no a@b.", "a@b", "550 no a@b.\n"},
    {false, 550, "x\ny", "a@b", "550-<a@b>: x\n550 y\n"},
    {false, 421, "4.3.2 bye", NULL, "451 4.3.2 bye\n"},
    {false, 571, "5.7.1 no", NULL, "550 5.7.1 no\n"},
    {false, 290, "ok", NULL, "250 ok\n"},
    /* An enhanced code of another class would make it no reply. */
    {false, 550, "4.1.1 no", NULL, "550 no\n"},
    {false, 451, "2.0.0 OK", NULL, "451 OK\n"},
    {false, 451, "2.0.0 5.0.0\t4.0.0\tx", NULL, "451 4.0.0 x\n"},
    {false, 550, "2.0.0", NULL, "550 \n"},
    {false, 550, "a\x1b[2J\tb\x7f\xc3\xa4\rz", NULL, "550 a?[2J b????z\n"},
    {true, 550, "\xc3\xa4\xff\xc2\x9b", NULL, "550 \xc3\xa4???\n"},
};

static void
replies_are_quoted(void)
{
	for (size_t i = 0; i < ROWS(quotes); i++) {
		struct quote quote = {.utf8 = quotes[i].utf8};
		const char *reply, *who = quotes[i].who;
		size_t length;

		quote_add(&quote, quotes[i].code, quotes[i].text,
		    strlen(quotes[i].text), who, who ? strlen(who) : 0);
		reply = quote_reply(&quote, &length);
		CHECK_AT(length == strlen(quotes[i].reply) &&
			     memcmp(reply, quotes[i].reply, length) == 0,
		    i);
		CHECK_AT(
		    reply_code(reply, length, quotes[i].utf8) == quote.code, i);
	}
}

/* The reply after adding codes, each with its digits as text. */
static bool
add_up(const char *codes, const char *want)
{
	struct quote quote = {0}, taken = {0};
	size_t length;
	const char *reply;
	bool good;

	for (; *codes; codes += strcspn(codes, " ") + (codes[3] == ' ')) {
		struct quote one = {0};
		int code = atoi(codes);

		quote_add(&quote, code, codes, 3, NULL, 0);
		quote_add(&one, code, codes, 3, NULL, 0);
		quote_take(&taken, &one);
	}
	reply = quote_reply(&quote, &length);
	good = length == strlen(want) && memcmp(reply, want, length) == 0;
	reply = quote_reply(&taken, &length);
	return good && length == strlen(want) &&
	       memcmp(reply, want, length) == 0;
}

static void
the_worst_counts(void)
{
	CHECK(add_up("", ""));
	CHECK(add_up("250 251", "250 250\n"));
	CHECK(add_up("250 550", "550 550\n"));
	CHECK(add_up("550 250", "550 550\n"));
	CHECK(add_up("550 450", "450 450\n"));
	CHECK(add_up("450 550 250", "450 450\n"));
	CHECK(add_up("550 551 552", "550-550\n550-551\n550 552\n"));
	CHECK(add_up("550 551 450 552 452", "450-450\n450 452\n"));
}

/* Anything at all comes out as one reply of its class, or not at all. */
static void
random_words(void)
{
	char text[6000];

	for (int i = 0; i < 3000; i++) {
		struct quote quote = {.utf8 = i % 2};
		int codes[] = {200, 250, 299, 421, 450, 499, 500, 554, 599};

		for (int k = 0; k < 3; k++) {
			size_t n = chance(i % 10 ? 30 : sizeof text), length;
			int code = codes[chance(ROWS(codes))];
			const char *reply;
			const char *who = chance(2) ? "ann@example.org" : NULL;

			for (size_t at = 0; at < n; at++)
				text[at] = (char)chance(256);
			if (n > 10 && chance(2))
				memcpy(text, "4.0.0 5.1.1", 10);
			quote_add(&quote, code, text, n, who, who ? 15 : 0);
			reply = quote_reply(&quote, &length);
			CHECK(reply_code(reply, length, quote.utf8) ==
				  quote.code &&
			      quote.code > 0);
		}
	}
}

void
units_content(void)
{
	dots_are_doubled();
	content_is_seen();
	content_is_seen_in_blocks();
	replies_are_quoted();
	the_worst_counts();
	random_words();
}
