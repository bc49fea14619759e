#include "verdict.h"

#include <string.h>

#include "reply.h"
#include "text.h"

/* Code and text of the reply to each exit status that has one of its own. */
static const struct {
	int status;
	const char *code;
	const char *text;
} rows[] = {
    {0, "250 2.0.0", "OK"},
    {99, "250 2.0.0", "OK"},
    {64, "451 4.3.5", "Delivery misconfigured, try again later"},
    {65, "550 5.6.0", "Message content refused"},
    {67, "550 5.1.1", "No such user"},
    {68, "550 5.1.2", "No such host"},
    {69, "550 5.3.0", "Service unavailable"},
    {76, "550 5.5.0", "Protocol error"},
    {77, "550 5.7.1", "Not permitted"},
    {78, "451 4.3.5", "Delivery misconfigured, try again later"},
    {100, "554 5.0.0", "Delivery refused"},
};

/* Everything else: mail waits rather than being lost to a typing error. */
static const char else_code[] = "451 4.3.0";
static const char else_text[] = "Temporary failure, try again later";

bool
verdict_success(int status)
{
	return status == 0 || status == 99;
}

/* True if a reply of this code may be given beside this status. */
static bool
code_allowed(int code, int status)
{
	if (code / 100 == 2)
		return verdict_success(status);
	if (code / 100 == 5)
		return status != 75 && status != 111;
	return code != 0;
}

/* Copies the printable characters of the first line of text. */
static size_t
first_line(const char *text, size_t length, bool utf8, char *out, size_t size)
{
	size_t used = 0;

	for (size_t at = 0, n; at < length && text[at] != '\n'; at += n) {
		size_t octets = text_is_print(text[at]) ? 1 : 0;

		if ((unsigned char)text[at] >= 0x80 && utf8)
			octets = text_utf8(text + at, length - at);
		n = octets ? octets : 1;
		if (used + octets > size)
			break;
		memcpy(out + used, text + at, octets);
		used += octets;
	}
	while (used > 0 && out[used - 1] == ' ')
		used--;
	return used;
}

static size_t
mapped(int status, const char *output, size_t length, bool utf8, char *reply)
{
	const char *code = else_code, *text = else_text;
	size_t at, n;

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (rows[i].status == status) {
			code = rows[i].code;
			text = rows[i].text;
		}
	}
	at = strlen(code);
	memcpy(reply, code, at);
	reply[at++] = ' ';
	/* Code, space, text and CRLF are within REPLY_LINE_MAX. */
	n = first_line(
	    output, length, utf8, reply + at, REPLY_LINE_MAX - 2 - at);
	if (n == 0) {
		n = strlen(text);
		memcpy(reply + at, text, n);
	}
	reply[at + n] = '\n';
	return at + n + 1;
}

/* The output as it stands, with LF line ends. */
static size_t
worded(const char *output, size_t length, char *reply)
{
	size_t used = 0;

	for (size_t i = 0; i < length; i++)
		if (output[i] != '\r')
			reply[used++] = output[i];
	return used;
}

size_t
verdict(enum verdict_end end, int status, const char *output, size_t length,
    bool utf8, char *reply, size_t size)
{
	int code;

	if (size < REPLY_MAX + 1)
		__builtin_trap();
	if (end == VERDICT_KILLED)
		return mapped(-1, NULL, 0, false, reply);
	if (end == VERDICT_NOT_RUN)
		return mapped(78, NULL, 0, false, reply);
	code = reply_code(output, length, utf8);
	if (code == 0 && verdict_success(status))
		return mapped(status, NULL, 0, false, reply);
	if (code == 0)
		return mapped(status, output, length, utf8, reply);
	if (!code_allowed(code, status))
		return mapped(-1, NULL, 0, false, reply);
	return worded(output, length, reply);
}

enum verdict_parts
verdict_parts(
    int status, const char *output, size_t length, bool utf8, size_t count)
{
	size_t found = 0, span;
	bool allowed = true;

	for (size_t at = 0; at < length; at += span) {
		int code;

		span = reply_span(output + at, length - at);
		code = reply_code(output + at, span, utf8);
		if (code == 0)
			return VERDICT_ALL;
		allowed = allowed && code_allowed(code, status);
		found++;
	}
	if (found <= 1)
		return VERDICT_ALL;
	return found == count && allowed ? VERDICT_EACH : VERDICT_WRONG;
}
