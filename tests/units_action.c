/* Units of policy servers' answers: where the action is, what it means, and
 * that nothing hostile comes through. */
#include "action.h"

#include <stdlib.h>
#include <string.h>

#include "clean.h"
#include "units.h"

static const struct {
	const char *text;
	size_t length;
	enum action_found found;
	const char *value;
} answers[] = {
    {TEXT("action=OK\n\n"), ACTION_FOUND, "OK"},
    {TEXT("action=OK\r\n\r\n"), ACTION_FOUND, "OK"},
    {TEXT("a=b\naction=a=b c\nb=\n\n"), ACTION_FOUND, "a=b c"},
    {TEXT("action=OK\n\naction=REJECT\n\n"), ACTION_FOUND, "OK"},
    {TEXT("action=OK\n\n\0"), ACTION_FOUND, "OK"},
    {TEXT("reaction=no\naction=OK\n\n"), ACTION_FOUND, "OK"},
    {TEXT("actions=no\naction=OK\n\n"), ACTION_FOUND, "OK"},
    {TEXT(""), ACTION_PART, NULL},
    {TEXT("action=OK"), ACTION_PART, NULL},
    {TEXT("action=OK\n"), ACTION_PART, NULL},
    {TEXT("action=OK\n\r"), ACTION_PART, NULL},
    {TEXT("action"), ACTION_PART, NULL},
    {TEXT("\n"), ACTION_GARBLED, NULL},
    {TEXT("\r\n"), ACTION_GARBLED, NULL},
    {TEXT("a=b\n\n"), ACTION_GARBLED, NULL},
    {TEXT("action=\n\n"), ACTION_GARBLED, NULL},
    {TEXT("action= \t\n\n"), ACTION_GARBLED, NULL},
    {TEXT("action=OK\naction=OK\n"), ACTION_GARBLED, NULL},
    {TEXT("action=O\0K\n"), ACTION_GARBLED, NULL},
    {TEXT("\0=\n"), ACTION_GARBLED, NULL},
    {TEXT("OK\n"), ACTION_GARBLED, NULL},
    {TEXT("ACTION=OK\n\n"), ACTION_GARBLED, NULL},
};

static void
actions_are_found(void)
{
	for (size_t i = 0; i < ROWS(answers); i++) {
		char *text = exactly(answers[i].text, answers[i].length);
		const char *value = NULL;
		size_t length;

		CHECK_AT(action_find(text, answers[i].length, &value,
			     &length) == answers[i].found,
		    i);
		if (answers[i].value)
			CHECK_AT(
			    length == strlen(answers[i].value) &&
				memcmp(value, answers[i].value, length) == 0,
			    i);
		free(text);
	}
}

/* A part of an answer never looks whole, and never garbled. */
static void
parts_are_parts(void)
{
	static const char whole[] = "a=b\r\naction=450 x\r\n\r\n";
	const char *value;
	size_t length;

	for (size_t n = 0; n < sizeof whole - 1; n++) {
		char *text = exactly(whole, n);

		CHECK_AT(
		    action_find(text, n, &value, &length) == ACTION_PART, n);
		free(text);
	}
}

static const struct {
	const char *value;
	enum action_kind kind;
	const char *text; /* NULL: any */
} meanings[] = {
    {"DUNNO", ACTION_PASS, NULL},
    {"Dunno x", ACTION_PASS, NULL},
    {"ok", ACTION_PASS, NULL},
    {"RELAY", ACTION_PASS, NULL},
    {"0", ACTION_PASS, NULL},
    {"250", ACTION_PASS, NULL},
    {"REJECT", ACTION_REFUSE, "554 5.7.1 Access denied\n"},
    {" reject  x ", ACTION_REFUSE, "554 5.7.1 x\n"},
    {"REJECT\tx", ACTION_REFUSE, "554 5.7.1 x\n"},
    {"REJECT 5.1.1  x", ACTION_REFUSE, "554 5.1.1 x\n"},
    {"REJECT 5.1.1x", ACTION_REFUSE, "554 5.7.1 5.1.1x\n"},
    {"REJECT 5.100.999", ACTION_REFUSE, "554 5.100.999 Access denied\n"},
    {"DEFER 5.1.1 x", ACTION_REFUSE, "450 4.1.1 x\n"},
    {"DEFER_IF_PERMIT", ACTION_REFUSE, "450 4.7.1 Service unavailable\n"},
    {"400 x", ACTION_REFUSE, "400 4.7.1 x\n"},
    {"559 x", ACTION_REFUSE, "559 5.7.1 x\n"},
    {"560 x", ACTION_REFUSE, "550 5.7.1 x\n"},
    {"550", ACTION_REFUSE, "550 5.7.1 Access denied\n"},
    {"PREPEND X: y", ACTION_PREPEND, "X: y"},
    {"PREPEND X:", ACTION_PREPEND, "X:"},
    {"PREPEND X y:", ACTION_UNKNOWN, "PREPEND X y:"},
    {"PREPEND :y", ACTION_UNKNOWN, "PREPEND :y"},
    {"PREPEND X", ACTION_UNKNOWN, "PREPEND X"},
    {"WARN x", ACTION_NOTE, "WARN x"},
    {"INFO", ACTION_NOTE, "INFO"},
    {"DUNN", ACTION_UNKNOWN, "DUNN"},
    {"DUNNOO", ACTION_UNKNOWN, "DUNNOO"},
    {"550-x", ACTION_UNKNOWN, "550-x"},
    {"250 x", ACTION_UNKNOWN, "250 x"},
    {"354 x", ACTION_UNKNOWN, "354 x"},
    {"55a x", ACTION_UNKNOWN, "55a x"},
    {"", ACTION_UNKNOWN, ""},
    {" ", ACTION_UNKNOWN, ""},
};

static void
actions_have_meanings(void)
{
	for (size_t i = 0; i < ROWS(meanings); i++) {
		size_t length = strlen(meanings[i].value);
		char *value = exactly(meanings[i].value, length);
		struct action action;

		action_read(&action, value, length, false);
		CHECK_AT(action.kind == meanings[i].kind, i);
		if (meanings[i].text)
			CHECK_AT(action.length == strlen(meanings[i].text) &&
				     memcmp(action.text, meanings[i].text,
					 action.length) == 0,
			    i);
		free(value);
	}
}

/* Whatever is said, a refusal is one good reply with an enhanced code, and the
 * rest is one line. */
static void
nothing_hostile_comes_through(void)
{
	static const char *const words[] = {"REJECT ", "450 ", "599 5.0.0 ",
	    "PREPEND X: ", "WARN ", "DEFER 4.0.0"};
	static const char octets[] = "a \r\n\0\t\x1b.5\xc3\xa4\xe2\x82";

	for (size_t i = 0; i < 20000; i++) {
		char text[2048];
		const char *word = words[chance(ROWS(words))];
		size_t length = strlen(word), end = chance(sizeof text - 20);
		struct action action;
		bool utf8 = i % 2;

		memcpy(text, word, length);
		while (length < end)
			text[length++] = octets[chance(sizeof octets - 1)];
		action_read(&action, text, length, utf8);
		CHECK(action.length <= sizeof action.text);
		if (action.kind != ACTION_REFUSE) {
			CHECK(!memchr(action.text, '\n', action.length) &&
			      !memchr(action.text, '\r', action.length));
			continue;
		}
		CHECK(reply_code(action.text, action.length, utf8) ==
			  action.code &&
		      action.code >= 400);
		CHECK(reply_enhanced(action.text + 4, action.length - 5) > 0);
		CHECK((char *)memchr(action.text, '\n', action.length) ==
		      action.text + action.length - 1);
	}
}

static const struct {
	const char *text;
	size_t length;
	bool utf8;
	size_t size;
	const char *out;
} dirty[] = {
    {TEXT("a b"), false, 9, "a b"},
    {TEXT("a\tb\n\0\x7f"), false, 9, "a b???"},
    {TEXT("a  \t"), false, 9, "a"},
    {TEXT("\xc3\xa4"), false, 9, "??"},
    {TEXT("\xc3\xa4\xc3"), true, 9, "\xc3\xa4?"},
    {TEXT("\xc2\x80"), true, 9, "??"},
    {TEXT("abc"), false, 3, "abc"},
    {TEXT("abcd"), false, 3, "abc"},
    {TEXT("ab\xc3\xa4"), true, 4, "ab\xc3\xa4"},
    {TEXT("ab\xc3\xa4"), true, 3, "ab"},
    {TEXT("ab c"), false, 3, "ab"},
    {TEXT("a"), false, 0, ""},
};

static void
texts_are_cleaned(void)
{
	for (size_t i = 0; i < ROWS(dirty); i++) {
		char out[16];
		char *text = exactly(dirty[i].text, dirty[i].length);
		size_t length = clean(
		    text, dirty[i].length, dirty[i].utf8, out, dirty[i].size);

		CHECK_AT(length == strlen(dirty[i].out) &&
			     memcmp(out, dirty[i].out, length) == 0,
		    i);
		free(text);
	}
}

void
units_action(void)
{
	actions_are_found();
	parts_are_parts();
	actions_have_meanings();
	nothing_hostile_comes_through();
	texts_are_cleaned();
}
