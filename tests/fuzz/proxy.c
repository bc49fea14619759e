/* Fuzzes the PROXY header, and what both processes make of it: cut anywhere it
 * is the same, no octet behind it is taken, and what the dialogue tells of a
 * good one the agent can read. The first octet of an input is a seed, the rest
 * what a proxy sends. */
#include "proxy.h"

#include "fuzz.h"
#include "preface.h"
#include "starttls.h"
#include "xclient.h"

/* Octets of the header: all that was taken. */
static size_t
take(struct proxy *proxy, const char *text, size_t length, uint32_t seed)
{
	size_t at = 0, used;

	*proxy = (struct proxy){0};
	while (at < length) {
		size_t given = seed ? fuzz_cut(&seed, length - at) : length;
		char *lent = fuzz_copy(text + at, given);
		enum proxy_step step = proxy_take(proxy, lent, given, &used);

		DEMAND(used <= given && step == proxy->step);
		DEMAND(step != PROXY_MORE || used == given);
		free(lent);
		at += used;
		if (step != PROXY_MORE)
			break;
	}
	return at;
}

/* Where a header ends is not a matter of what it says. */
static void
judge_length(const char *text, size_t used)
{
	static const char signature[] = "\r\n\r\n\0\r\nQUIT\n";

	if (memcmp(text, "PROXY ", 6) == 0) {
		DEMAND(used <= PROXY_TEXT_MAX);
		DEMAND(memcmp(text + used - 2, "\r\n", 2) == 0);
		DEMAND(!memchr(text, '\r', used - 2) &&
		       !memchr(text, '\n', used - 2));
		return;
	}
	DEMAND(used >= PROXY_BINARY_HEAD);
	DEMAND(memcmp(text, signature, 12) == 0);
	DEMAND(used == PROXY_BINARY_HEAD + 256u * (unsigned char)text[14] +
			   (unsigned char)text[15]);
}

static void
judge_text(const char *text, size_t size)
{
	size_t length = strnlen(text, size);

	DEMAND(length < size);
	for (size_t i = 0; i < length; i++)
		DEMAND(text[i] > ' ' && text[i] < 0x7f);
}

/* The agent's reading of what the dialogue tells. */
static void
judge_record(const struct proxy *proxy)
{
	static struct xclient xclient;
	char text[PREFACE_TEXT_MAX], tls[2 * PROXY_TLS_MAX + 2];
	struct record record = {0};

	preface_record(proxy, &record, text, tls);
	DEMAND(record.type == RECORD_PROXY);
	DEMAND(record.second_length < STARTTLS_ABOUT_MAX);
	DEMAND(!fuzz_controls(record.second, record.second_length, ""));
	if (proxy->local || proxy->family != PROXY_TCP) {
		DEMAND(record.first_length == 0);
		return;
	}
	DEMAND(record.number == RECORD_CLIENT_TCP);
	DEMAND(xclient_parse(record.first, record.first_length, &xclient));
	for (int i = 0; i < XCLIENT_ATTRIBUTES; i++)
		DEMAND((xclient.values[i].state == XCLIENT_SET) ==
		       (i == XCLIENT_ADDR || i == XCLIENT_PORT ||
			   i == XCLIENT_DESTADDR || i == XCLIENT_DESTPORT));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct proxy whole, parts;
	struct fuzz fuzz = fuzz_begin(data, size);
	uint32_t seed = fuzz_octet(&fuzz);
	size_t used = take(&whole, fuzz.text, fuzz.length, 0);

	DEMAND(take(&parts, fuzz.text, fuzz.length, seed + 1) == used ||
	       whole.step == PROXY_BAD);
	DEMAND(whole.step == parts.step);
	if (whole.step != PROXY_DONE)
		return 0;
	judge_length(fuzz.text, used);
	DEMAND(whole.local == parts.local && whole.family == parts.family);
	if (whole.local)
		return 0;
	DEMAND(memcmp(&whole.source, &parts.source, sizeof whole.source) == 0);
	DEMAND(whole.source_port == parts.source_port &&
	       whole.source_port < 65536 && whole.destination_port < 65536);
	judge_text(whole.tls_version, sizeof whole.tls_version);
	judge_text(whole.tls_cipher, sizeof whole.tls_cipher);
	judge_record(&whole);
	return 0;
}
