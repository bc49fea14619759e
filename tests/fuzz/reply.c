/* Fuzzes the judge of replies and all that make one of what commands and hooks
 * print: whatever that is, the client hears one legal reply that says no more
 * than the exit status. The first octet of an input is options, the second the
 * status, the third how many recipients, the rest what was printed. */
#include "reply.h"

#include "fuzz.h"
#include "hooktext.h"
#include "replies.h"
#include "smtp.h"
#include "verdict.h"

/* A second opinion on one line without its end; its code or 0. */
static int
code_of(const char *line, size_t length, bool utf8)
{
	int code;

	if (length < 3 || length > REPLY_LINE_MAX - 2)
		return 0;
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)line[i] < ' ' || line[i] == 0x7f ||
		    (!utf8 && (line[i] & 0x80)))
			return 0;
	if (fuzz_controls(line, length, ""))
		return 0;
	if (!strchr("245", line[0]) || line[1] < '0' || line[1] > '5' ||
	    line[2] < '0' || line[2] > '9')
		return 0;
	code = (line[0] - '0') * 100 + (line[1] - '0') * 10 + line[2] - '0';
	return length == 3 || line[3] == ' ' || line[3] == '-' ? code : 0;
}

/* What must hold for a text that is a reply. */
static void
judge(const char *text, size_t length, int code, bool utf8)
{
	size_t at = 0;

	/* On the wire each LF is a CRLF. */
	DEMAND(length > 0 && length <= SMTP_REPLY_MAX);
	DEMAND(code / 100 == 2 || code / 100 == 4 || code / 100 == 5);
	DEMAND(reply_span(text, length) == length);
	while (at < length) {
		const char *line = text + at;
		const char *newline = memchr(line, '\n', length - at);
		size_t n = newline ? (size_t)(newline - line) : length - at;

		at += n + (newline ? 1 : 0);
		n -= newline && n > 0 && line[n - 1] == '\r';
		DEMAND(code_of(line, n, utf8) == code);
		DEMAND((n > 3 && line[3] == '-') == (at < length));
	}
}

/* True if a 2xx, or a 5xx beside a failure that is temporary, was said. */
static bool
says_more(int code, int status)
{
	return (code / 100 == 2 && !verdict_success(status)) ||
	       (code / 100 == 5 && (status == 75 || status == 111));
}

static void
judge_verdict(enum verdict_end end, int status, const char *text, size_t length,
    bool utf8)
{
	static char reply[REPLY_MAX + 1];
	size_t n =
	    verdict(end, status, text, length, utf8, reply, sizeof reply);
	int code = reply_code(reply, n, utf8);

	judge(reply, n, code, utf8);
	DEMAND(n <= REPLY_MAX && !memchr(reply, '\r', n));
	if (end == VERDICT_EXITED)
		DEMAND(!says_more(code, status));
	else
		DEMAND(code == 451);
}

/* In LMTP each recipient has one. */
static void
judge_parts(
    int status, const char *text, size_t length, bool utf8, size_t count)
{
	struct replies replies = {text, length};
	size_t n, times, all = 0;
	const char *reply;

	if (verdict_parts(status, text, length, utf8, count) != VERDICT_EACH)
		return;
	DEMAND(count > 1);
	replies_worst(&replies, &reply, &n);
	DEMAND(reply_code(reply, n, utf8) != 0);
	while (replies_next(&replies, &reply, &n, &times)) {
		int code = reply_code(reply, n, utf8);

		judge(reply, n, code, utf8);
		DEMAND(!says_more(code, status));
		DEMAND(times > 0);
		all += times;
	}
	DEMAND(all == count && replies.length == 0);
}

static void
judge_hook(enum verdict_end end, int status, const char *text, size_t length,
    bool utf8)
{
	static char reply[REPLY_MAX + 1];
	struct hooktext_line line;
	size_t variables, at = 0, before = 0;
	size_t n = hooktext_verdict(
	    end, status, text, length, utf8, reply, sizeof reply, &variables);
	int code = reply_code(reply, n, utf8);

	DEMAND(n > 0 || (end == VERDICT_EXITED && verdict_success(status)));
	if (n > 0)
		judge(reply, n, code, utf8);
	if (n > 0 && end == VERDICT_EXITED)
		DEMAND(!says_more(code, status));
	DEMAND(variables <= length);
	while (hooktext_variable(text, variables, &at, &line)) {
		DEMAND(at > before && at <= variables);
		DEMAND(line.name_length > 2 &&
		       line.name_length <= HOOKTEXT_NAME_MAX &&
		       memcmp(line.name, "X_", 2) == 0);
		DEMAND(!fuzz_controls(line.value, line.value_length, ""));
		before = at;
	}
	DEMAND(at == variables);
}

static void
judge_login(enum verdict_end end, int status, const char *text, size_t length,
    bool utf8, bool has_user)
{
	static char reply[REPLY_MAX + 1];
	size_t n = hooktext_login(
	    end, status, text, length, utf8, has_user, reply, sizeof reply);
	int code = reply_code(reply, n, utf8);

	judge(reply, n, code, utf8);
	if (code / 100 == 2)
		DEMAND(code == 235 && has_user && status == 0 &&
		       end == VERDICT_EXITED);
}

/* The machine says it only if it is one. */
static void
judge_machine(const char *text, size_t length, bool utf8)
{
	static const struct smtp_config config = {.hostname = "mx"};
	static struct smtp smtp;
	const char *output;
	size_t n;
	int code = reply_code(text, length, false);

	(void)utf8;
	smtp_begin(&smtp, &config);
	DEMAND(smtp_next(&smtp)->kind == SMTP_CONNECT);
	smtp_reply(&smtp, text, length);
	output = smtp_output(&smtp, &n);
	DEMAND(n > 2 && memcmp(output + n - 2, "\r\n", 2) == 0);
	judge(output, n, code ? code : 451, false);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz fuzz = fuzz_begin(data, size);
	unsigned options = fuzz_octet(&fuzz);
	bool utf8 = options & 1;
	enum verdict_end end =
	    options & 2 ? VERDICT_EXITED : (enum verdict_end)(options / 4 % 3);
	int status = (int)fuzz_octet(&fuzz);
	size_t count = fuzz_octet(&fuzz);
	char *text = fuzz_copy(fuzz.text, fuzz.length);
	int code = reply_code(text, fuzz.length, utf8);

	if (code)
		judge(text, fuzz.length, code, utf8);
	judge_verdict(end, status, text, fuzz.length, utf8);
	judge_parts(status, text, fuzz.length, utf8, count);
	judge_hook(end, status, text, fuzz.length, utf8);
	judge_login(end, status, text, fuzz.length, utf8, options & 16);
	judge_machine(text, fuzz.length, utf8);
	free(text);
	return 0;
}
