/* Units of the verdict: contract section 4, row by row. */
#include "verdict.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "replies.h"
#include "reply.h"
#include "units.h"

/* Exit statuses with a reply of their own; all others are 451 4.3.0. */
static const struct {
	int status;
	const char *code;
} mapped[] = {
    {0, "250 2.0.0"},
    {64, "451 4.3.5"},
    {65, "550 5.6.0"},
    {67, "550 5.1.1"},
    {68, "550 5.1.2"},
    {69, "550 5.3.0"},
    {76, "550 5.5.0"},
    {77, "550 5.7.1"},
    {78, "451 4.3.5"},
    {99, "250 2.0.0"},
    {100, "554 5.0.0"},
};

static const char *
code_for(int status)
{
	for (size_t i = 0; i < ROWS(mapped); i++)
		if (mapped[i].status == status)
			return mapped[i].code;
	return "451 4.3.0";
}

/* The verdict as a string that ends in LF, good until the next one. It is one
 * reply. */
static const char *
judge(enum verdict_end end, int status, const char *output, size_t length,
    bool utf8)
{
	static char reply[REPLY_MAX + 3];
	char *copy = exactly(output, length);
	size_t n;

	memset(reply, '#', sizeof reply);
	n = verdict(end, status, copy, length, utf8, reply, REPLY_MAX + 1);
	free(copy);
	CHECK_AT(n > 0 && n <= REPLY_MAX + 1, status);
	CHECK_AT(reply[REPLY_MAX + 1] == '#', status);
	if (reply[n - 1] != '\n')
		reply[n++] = '\n';
	CHECK_AT(!memchr(reply, '\r', n) && !memchr(reply, '\0', n), status);
	CHECK_AT(reply_code(reply, n - 1, utf8) > 0, status);
	reply[n] = '\0';
	return reply;
}

static bool
begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

static void
every_status_has_its_reply(void)
{
	for (int status = 0; status < 256; status++) {
		const char *code = code_for(status);
		bool success = status == 0 || status == 99;
		char want[64];
		const char *reply;

		reply = judge(VERDICT_EXITED, status, "", 0, false);
		CHECK_AT(begins(reply, code) && reply[9] == ' ', status);
		if (success)
			CHECK_AT(strcmp(reply, "250 2.0.0 OK\n") == 0, status);
		CHECK_AT(verdict_success(status) == success, status);
		/* Text words a refusal, and says nothing beside success. */
		sprintf(want, "%s Not today\n", code);
		reply = judge(
		    VERDICT_EXITED, status, TEXT("Not today\nmore\n"), false);
		CHECK_AT(strcmp(reply, success ? "250 2.0.0 OK\n" : want) == 0,
		    status);
		/* A reply may say no more than the status. */
		reply = judge(
		    VERDICT_EXITED, status, TEXT("250 2.1.5 Yes\n"), false);
		if (success)
			CHECK_AT(strcmp(reply, "250 2.1.5 Yes\n") == 0, status);
		else
			CHECK_AT(begins(reply, "451 4.3.0 "), status);
		reply = judge(
		    VERDICT_EXITED, status, TEXT("553 5.1.3 No\n"), false);
		if (status == 75 || status == 111)
			CHECK_AT(begins(reply, "451 4.3.0 "), status);
		else
			CHECK_AT(strcmp(reply, "553 5.1.3 No\n") == 0, status);
		reply = judge(
		    VERDICT_EXITED, status, TEXT("450 4.2.1 Later\n"), false);
		CHECK_AT(strcmp(reply, "450 4.2.1 Later\n") == 0, status);
	}
}

/* What a command had printed that was then killed is ignored. */
static void
other_ends_have_theirs(void)
{
	static const char *const outputs[] = {
	    "", "250 OK\n", "550 5.0.0 No\n", "text\n", "421 4.0.0 x\n"};

	for (size_t i = 0; i < ROWS(outputs); i++) {
		size_t length = strlen(outputs[i]);

		CHECK_AT(
		    begins(judge(VERDICT_KILLED, 0, outputs[i], length, false),
			"451 4.3.0 "),
		    i);
		CHECK_AT(
		    begins(judge(VERDICT_NOT_RUN, 0, outputs[i], length, false),
			"451 4.3.5 "),
		    i);
		CHECK_AT(
		    !strstr(judge(VERDICT_KILLED, 0, outputs[i], length, false),
			"text"),
		    i);
	}
}

static const struct {
	int status;
	bool utf8;
	const char *output;
	size_t length;
	const char *reply; /* of a beginning, where it ends without \n */
} worded[] = {
    /* As it stands, line ends made LF, a final one added */
    {0, false, TEXT("250 2.0.0 Queued as 17"), "250 2.0.0 Queued as 17\n"},
    {0, false, TEXT("250 2.0.0 Queued\r\n"), "250 2.0.0 Queued\n"},
    {0, false, TEXT("250\n"), "250\n"},
    {0, false, TEXT("251 a\n"), "251 a\n"},
    {0, false, TEXT("250-a\r\n250 b"), "250-a\n250 b\n"},
    {0, false, TEXT("421 4.3.2 Gone\n"), "421 4.3.2 Gone\n"},
    {99, false, TEXT("250 x\n"), "250 x\n"},
    {1, false, TEXT("552 x\n"), "552 x\n"},
    {100, false, TEXT("451 x\n"), "451 x\n"},
    /* No reply beside success is ignored. */
    {0, false, TEXT("OK\n"), "250 2.0.0 OK\n"},
    {0, false, TEXT("250 a\n250 b\n"), "250 2.0.0 OK\n"},
    {0, false, TEXT("250-a\n"), "250 2.0.0 OK\n"},
    {0, false, TEXT("250 5.0.0 x\n"), "250 2.0.0 OK\n"},
    {0, false, TEXT("550 2.0.0 x\n"), "250 2.0.0 OK\n"},
    {0, false, TEXT("354 x\n"), "250 2.0.0 OK\n"},
    {0, false, TEXT("250 a\0\n"), "250 2.0.0 OK\n"},
    {0, false, TEXT("250 \xC3\xA4\n"), "250 2.0.0 OK\n"},
    {0, true, TEXT("250 \xC3\xA4\n"), "250 \xC3\xA4\n"},
    {0, true, TEXT("250 \xC3\n"), "250 2.0.0 OK\n"},
    {99, false, TEXT("550 x\n\n"), "250 2.0.0 OK\n"},
    /* Elsewhere it is the text: first line, printable, cut to fit. */
    {77, false, TEXT("No, thanks\n"), "550 5.7.1 No, thanks\n"},
    {77, false, TEXT("No\r\nthanks\r\n"), "550 5.7.1 No\n"},
    {75, false, TEXT("a\tb\x1b[2J\x7f\0c"), "451 4.3.0 ab[2Jc\n"},
    {75, false, TEXT("\xC3\xA4z\n"), "451 4.3.0 z\n"},
    {75, true, TEXT("\xC3\xA4z\n"), "451 4.3.0 \xC3\xA4z\n"},
    {75, true, TEXT("\xC3z\xFF\xC2\x9B!\n"), "451 4.3.0 z!\n"},
    {75, false, TEXT("trailing  \n"), "451 4.3.0 trailing\n"},
    {75, false, TEXT("\nsecond\n"), "451 4.3.0 "},
    {75, false, TEXT("   \n"), "451 4.3.0 "},
    {75, false, TEXT("\x01\x02\n"), "451 4.3.0 "},
    {1, false, TEXT("250x\n"), "451 4.3.0 250x\n"},
    {65, false, TEXT("354 x\n"), "550 5.6.0 354 x\n"},
};

static void
output_words_the_reply(void)
{
	for (size_t i = 0; i < ROWS(worded); i++) {
		const char *want = worded[i].reply;
		const char *reply = judge(VERDICT_EXITED, worded[i].status,
		    worded[i].output, worded[i].length, worded[i].utf8);

		CHECK_AT(want[strlen(want) - 1] == '\n'
			     ? strcmp(reply, want) == 0
			     : begins(reply, want) &&
				   reply_code(reply, strlen(reply), true) > 0,
		    i);
	}
}

/* Lines of 512 octets, replies of 4096, texts of any length. */
static void
limits_hold(void)
{
	static char text[100000];
	const char *reply;

	memset(text, 'x', sizeof text);
	memcpy(text, "250 ", 4);
	reply = judge(VERDICT_EXITED, 0, text, REPLY_LINE_MAX - 2, false);
	CHECK(strlen(reply) == REPLY_LINE_MAX - 1);
	reply = judge(VERDICT_EXITED, 0, text, REPLY_LINE_MAX - 1, false);
	CHECK(strcmp(reply, "250 2.0.0 OK\n") == 0);
	for (size_t at = 0; at < REPLY_MAX; at += 8)
		memcpy(text + at, "250-xxx\n", 8);
	memcpy(text + REPLY_MAX - 8, "250 xxxx\n", 9);
	reply = judge(VERDICT_EXITED, 0, text, REPLY_MAX, false);
	CHECK(strlen(reply) == REPLY_MAX + 1 && begins(reply, "250-xxx\n"));
	reply = judge(VERDICT_EXITED, 0, text, REPLY_MAX + 1, false);
	CHECK(strcmp(reply, "250 2.0.0 OK\n") == 0);
	/* "451 4.3.0 ", the text and CRLF are one line that fits. */
	memset(text, 'x', sizeof text);
	for (size_t n = 495; n < 505; n++) {
		reply = judge(VERDICT_EXITED, 75, text, n, false);
		CHECK_AT(
		    strlen(reply) + 1 == (n <= 500 ? n + 12 : REPLY_LINE_MAX),
		    n);
	}
	reply = judge(VERDICT_EXITED, 75, text, sizeof text, false);
	CHECK(strlen(reply) + 1 == REPLY_LINE_MAX);
	/* No character of UTF-8 is cut in two. */
	for (size_t at = 0; at + 1 < sizeof text; at += 2)
		memcpy(text + at, "\xC3\xA4", 2);
	reply = judge(VERDICT_EXITED, 75, text, sizeof text, true);
	CHECK(strlen(reply) + 1 == REPLY_LINE_MAX);
	text[0] = 'x';
	memmove(text + 1, text + 2, sizeof text - 2);
	reply = judge(VERDICT_EXITED, 75, text, sizeof text - 2, true);
	CHECK(strlen(reply) + 1 == REPLY_LINE_MAX - 1);
}

static void
random_outputs(void)
{
	static const char letters[] = "25 -0.\r\n\0x\xC3\xA4";
	char text[32];

	for (int i = 0; i < 20000; i++) {
		size_t n = chance(sizeof text);

		for (size_t k = 0; k < n; k++)
			text[k] = letters[chance(sizeof letters - 1)];
		(void)judge((enum verdict_end)(i % 3), (int)chance(256), text,
		    n, i % 2);
	}
}

/* Contract section 4, its last paragraph. */
static const struct {
	const char *output;
	size_t count;
	int status;
	enum verdict_parts parts;
} parted[] = {
    {"", 2, 0, VERDICT_ALL},
    {"250 a\n", 2, 0, VERDICT_ALL},
    {"250 a\n", 1, 0, VERDICT_ALL},
    {"250 a\n", 2, 75, VERDICT_ALL},
    {"250 a\n250 b\n", 1, 0, VERDICT_WRONG},
    {"250 a\n250 b\n", 2, 0, VERDICT_EACH},
    {"250 a\n250 b\n", 2, 99, VERDICT_EACH},
    {"250-a\r\n250 b\r\n550 c", 2, 0, VERDICT_EACH},
    {"250 a\n250 b\n", 3, 0, VERDICT_WRONG},
    {"250 a\n250 b\n", 2, 1, VERDICT_WRONG},
    {"450 a\n250 b\n", 2, 67, VERDICT_WRONG},
    {"450 a\n550 b\n", 2, 67, VERDICT_EACH},
    {"450 a\n550 b\n", 2, 75, VERDICT_WRONG},
    {"450 a\n451 b\n", 2, 111, VERDICT_EACH},
    {"250 a\nb\n", 2, 0, VERDICT_ALL},
    {"250 a\n\n", 2, 0, VERDICT_ALL},
    {"250 a\n250-b\n", 2, 0, VERDICT_ALL},
    {"250 a\n250 5.0.0 b\n", 2, 0, VERDICT_ALL},
    {"250 a\n250 \xC3\xA4\n", 2, 0, VERDICT_ALL},
};

static void
recipients_have_parts(void)
{
	for (size_t i = 0; i < ROWS(parted); i++) {
		size_t length = strlen(parted[i].output);
		char *copy = exactly(parted[i].output, length);

		CHECK_AT(verdict_parts(parted[i].status, copy, length, false,
			     parted[i].count) == parted[i].parts,
		    i);
		free(copy);
	}
	CHECK(verdict_parts(0, TEXT("250 a\n250 \xC3\xA4\n"), true, 2) ==
	      VERDICT_EACH);
}

/* What is taken off: "text*count" for each, and the worst. */
static const struct {
	const char *replies, *taken, *worst;
} taken_off[] = {
    {"250 a\n", "250 a*1|", "250 a\n"},
    {"250 a\n250 a\n250 b\n250 a\n", "250 a*2|250 b*1|250 a*1|", "250 a\n"},
    {"250 a\n450 b\n550 c\n", "250 a*1|450 b*1|550 c*1|", "450 b\n"},
    {"550 c\n550 c", "550 c*1|550 c*1|", "550 c\n"},
    {"250 a\n250 ab\n", "250 a*1|250 ab*1|", "250 a\n"},
};

static void
replies_are_taken_off(void)
{
	for (size_t i = 0; i < ROWS(taken_off); i++) {
		size_t length = strlen(taken_off[i].replies), n, count;
		char *copy = exactly(taken_off[i].replies, length),
		     log[99] = "";
		struct replies replies = {copy, length};
		const char *text;

		replies_worst(&replies, &text, &n);
		CHECK_AT(n == strlen(taken_off[i].worst) &&
			     memcmp(text, taken_off[i].worst, n) == 0,
		    i);
		while (replies_next(&replies, &text, &n, &count))
			sprintf(log + strlen(log), "%.*s*%zu|", 5 + (n > 6),
			    text, count);
		CHECK_AT(strcmp(log, taken_off[i].taken) == 0, i);
		CHECK_AT(!replies_next(&replies, &text, &n, &count), i);
		free(copy);
	}
}

void
units_verdict(void)
{
	recipients_have_parts();
	replies_are_taken_off();
	every_status_has_its_reply();
	other_ends_have_theirs();
	output_words_the_reply();
	limits_hold();
	random_outputs();
}
