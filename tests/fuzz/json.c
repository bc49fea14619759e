/* Fuzzes JSON: any message and any envelope are one object on one line, which a
 * reader of its own, below, finds valid. Nine values of the envelope come
 * first, each up to a NUL, an empty one not being set; the rest is the
 * message. */
#include "json.h"

#include "fuzz.h"
#include "jsonmail.h"

static char *output;
static size_t length, space;

/* The sink of this program, in place of the room's. */
void
sink_write(struct sink *sink, const char *text, size_t n)
{
	(void)sink;
	if (space - length < n) {
		space = 2 * space + n;
		output = realloc(output, space);
		if (!output)
			abort();
	}
	memcpy(output + length, text, n);
	length += n;
}

bool
sink_good(struct sink *sink)
{
	(void)sink;
	return true;
}

/* A reader of JSON (RFC 8259): at is moved behind what was read. */
static const char *at, *end;

static bool
skip(const char *text)
{
	size_t n = strlen(text);

	if ((size_t)(end - at) < n || memcmp(at, text, n) != 0)
		return false;
	at += n;
	return true;
}

static bool
is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') ||
	       (c >= 'A' && c <= 'F');
}

static void
read_escape(void)
{
	DEMAND(end - at >= 2);
	at++;
	if (*at++ != 'u') {
		DEMAND(strchr("\"\\/bfnrt", at[-1]));
		return;
	}
	DEMAND(end - at >= 4);
	for (int i = 0; i < 4; i++)
		DEMAND(is_hex(*at++));
}

/* RFC 3629 4, by its table. */
static void
read_utf8(void)
{
	const unsigned char *c = (const unsigned char *)at;
	size_t n = c[0] < 0xe0 ? 2 : c[0] < 0xf0 ? 3 : 4;

	DEMAND(c[0] >= 0xc2 && c[0] <= 0xf4 && (size_t)(end - at) >= n);
	for (size_t i = 1; i < n; i++)
		DEMAND((c[i] & 0xc0) == 0x80);
	DEMAND(c[0] != 0xe0 || c[1] >= 0xa0);
	DEMAND(c[0] != 0xed || c[1] < 0xa0);
	DEMAND(c[0] != 0xf0 || c[1] >= 0x90);
	DEMAND(c[0] != 0xf4 || c[1] < 0x90);
	at += n;
}

static void
read_string(void)
{
	const char *begin = at;

	DEMAND(skip("\""));
	while (at < end && *at != '"') {
		if (*at == '\\')
			read_escape();
		else if (*at & 0x80)
			read_utf8();
		else
			at++;
	}
	DEMAND(!fuzz_controls(begin, (size_t)(at - begin), ""));
	DEMAND(skip("\""));
}

static void read_value(int depth);

static void
read_array(int depth)
{
	DEMAND(skip("["));
	if (skip("]"))
		return;
	do
		read_value(depth + 1);
	while (skip(","));
	DEMAND(skip("]"));
}

static void
read_value(int depth)
{
	DEMAND(at < end && depth < 4);
	if (*at == '"') {
		read_string();
	} else if (*at == '[') {
		read_array(depth);
	} else if (!skip("null")) {
		const char *begin = at;

		while (at < end && *at >= '0' && *at <= '9')
			at++;
		DEMAND(at > begin && (*begin != '0' || at == begin + 1));
	}
}

static void
read_object(void)
{
	static const char *const members[] = {"session", "received", "peer",
	    "port", "helo", "protocol", "sender", "recipients", "mail_options",
	    "rcpt_options", "size", "headers", "body", "encoding"};

	DEMAND(skip("{"));
	for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
		DEMAND(i == 0 || skip(","));
		DEMAND(skip("\"") && skip(members[i]) && skip("\":"));
		read_value(0);
	}
	DEMAND(skip("}\n"));
	DEMAND(at == end);
}

/* The same string however it is cut. */
static void
judge_cut(const char *text, size_t size)
{
	struct utf8 utf8 = {0}, cut = {0};
	char *whole = malloc(JSON_ESCAPED_MAX(size) * 2);
	char *parts = malloc(JSON_ESCAPED_MAX(size) * 2 + 64);
	size_t n, m = 0;
	uint32_t seed = (uint32_t)size;

	if (!whole || !parts)
		abort();
	n = json_escape(&utf8, text, size, whole);
	DEMAND(n <= JSON_ESCAPED_MAX(size));
	n += json_escape_end(&utf8, whole + n);
	for (size_t i = 0, k; i < size; i += k) {
		k = fuzz_cut(&seed, size - i);
		m += json_escape(&cut, text + i, k, parts + m);
	}
	m += json_escape_end(&cut, parts + m);
	DEMAND(fuzz_same(whole, n, parts, m));
	free(whole);
	free(parts);
}

static const char *const names[] = {"SMTP_SESSION", "TCPREMOTEIP",
    "TCPREMOTEPORT", "SMTP_HELO", "SMTP_PROTOCOL", "SENDER", "RECIPIENTS",
    "SMTP_MAIL_OPTIONS", "SMTP_RCPT_OPTIONS"};
#define NAMES (sizeof names / sizeof *names)

static char **
make_environment(struct fuzz *fuzz)
{
	static char *variables[NAMES + 1];
	size_t count = 0;

	for (size_t i = 0; i < NAMES; i++) {
		struct fuzz part = fuzz_part(fuzz, '\0');
		size_t room = strlen(names[i]) + part.length + 2;
		char *variable = malloc(room);

		if (!variable)
			abort();
		(void)snprintf(variable, room, "%s=%.*s", names[i],
		    (int)part.length, part.text ? part.text : "");
		if (part.length > 0)
			variables[count++] = variable;
		else
			free(variable);
	}
	variables[count] = NULL;
	return variables;
}

extern char **environ;

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct intake message;
	static struct sink sink;
	struct fuzz fuzz = fuzz_begin(data, size);
	char **before = environ, **ours = make_environment(&fuzz);

	if (fuzz.length > sizeof message.memory)
		fuzz.length = sizeof message.memory;
	message = (struct intake){.size = fuzz.length, .end = fuzz.length};
	memcpy(message.memory, fuzz.text, fuzz.length);
	length = 0;
	environ = ours;
	jsonmail_write(&message, &sink, 1700000000);
	environ = before;
	for (; *ours; ours++)
		free(*ours);
	DEMAND(message.error == 0);
	at = output;
	end = output + length;
	read_object();
	judge_cut(fuzz.text, fuzz.length);
	free(output);
	output = NULL;
	space = 0;
	return 0;
}
