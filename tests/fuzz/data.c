/* Fuzzes the decoder of DATA and BDAT, the encoder that undoes it, and what
 * looks at content on its way. A second decoder, which knows the whole input
 * and takes it octet by octet, must come to the same message, refusal, size and
 * end; nothing but CRLF.CRLF is one. The first octet of an input is options,
 * the second a seed, the rest the content. */
#include "data.h"

#include "content.h"
#include "dots.h"
#include "fuzz.h"
#include "hops.h"

/* What became of content. */
struct message {
	char *text;
	size_t length;
	size_t used; /* octets of the input, to the end of the message */
	uint64_t size;
	bool bad;
};

static void
put(struct message *message, char octet)
{
	message->text[message->length++] = octet;
	message->size++;
}

static void
put_line_end(struct message *message, bool crlf)
{
	if (crlf)
		message->text[message->length++] = '\r';
	message->text[message->length++] = '\n';
	message->size += 2;
}

static bool
begins(const char *text, size_t length, const char *with)
{
	return length >= strlen(with) && memcmp(text, with, strlen(with)) == 0;
}

/* The second opinion. */
static void
decode(const struct data *as, const char *text, size_t length,
    struct message *message)
{
	bool start = true; /* of a line, as far as dots are concerned */
	size_t at = 0;

	for (; at < length; at++) {
		const char *here = text + at;
		size_t left = length - at;

		if (start && !as->chunked && *here == '.') {
			bool lf = as->newline == DATA_TERMINAL;

			start = false;
			if (begins(here, left, ".\r\n") ||
			    (lf && begins(here, left, ".\n"))) {
				message->used = at + (here[1] == '\r' ? 3 : 2);
				return;
			}
			continue;
		}
		start = false;
		if (begins(here, left, "\r\n")) {
			put_line_end(message, as->crlf);
			start = true;
			at++;
		} else if (*here == '\r') {
			message->bad = true;
		} else if (*here == '\n') {
			message->bad =
			    message->bad || as->newline == DATA_REJECT;
			put_line_end(message, as->crlf);
			start = as->newline == DATA_TERMINAL;
		} else {
			put(message, *here);
		}
	}
	message->used = length;
}

/* The room's own, given the input in pieces. */
static void
decode_pieces(const struct data *as, const char *text, size_t length,
    uint32_t seed, struct message *message)
{
	struct data data = *as;

	while (message->used < length && !data.ended) {
		size_t given = seed ? fuzz_cut(&seed, length - message->used)
				    : length - message->used;
		char *lent = fuzz_copy(text + message->used, given);
		const char *piece;
		size_t n, used = data_decode(&data, lent, given, &piece, &n);

		DEMAND(used <= given);
		DEMAND(used > 0 || n > 0);
		memcpy(message->text + message->length, piece, n);
		message->length += n;
		message->used += used;
		free(lent);
	}
	DEMAND(as->chunked || data.ended);
	if (as->chunked)
		data_end(&data);
	message->bad = data.bad;
	message->size = data.size;
}

/* A bare LF becomes two octets. */
static struct message
begin(size_t length)
{
	struct message message = {.text = malloc(2 * length + 2)};

	if (!message.text)
		abort();
	return message;
}

static void
judge(const struct data *as, const char *text, size_t length, uint32_t seed)
{
	struct message want = begin(length), got = begin(length);

	decode(as, text, length, &want);
	decode_pieces(as, text, length, seed, &got);
	DEMAND(got.used == want.used);
	DEMAND(got.bad == want.bad);
	if (!got.bad) {
		DEMAND(got.size == want.size);
		DEMAND(fuzz_same(got.text, got.length, want.text, want.length));
	}
	free(want.text);
	free(got.text);
}

/* Encoded and decoded again a message is what it was, its last line ended. */
static void
judge_dots(const char *text, size_t length, uint32_t seed)
{
	struct dots dots = {0};
	struct data data = {.newline = DATA_REJECT};
	char *wire = malloc(3 * length + DOTS_END_MAX + 2), *piece;
	size_t used = 0, at = 0, n, before;
	const char *rest = text, *out;

	if (!wire)
		abort();
	while (length - at > 0 && !dots.bad) {
		size_t given = fuzz_cut(&seed, length - at), left = given;

		rest = piece = fuzz_copy(text + at, given);
		before = used;
		used += dots_encode(&dots, &rest, &left, wire + used,
		    2 + fuzz_chance(&seed, 9));
		DEMAND(used <= before + 10);
		DEMAND(dots.bad || left < given);
		at += given - left;
		free(piece);
	}
	n = dots_end(&dots, wire + used);
	used += n;
	if (!dots.bad) {
		DEMAND(data_decode(&data, wire, used, &out, &n) == used);
		DEMAND(data.ended && !data.bad);
		for (size_t i = at = 0; i < length; i++) {
			if (text[i] == '\r')
				continue;
			DEMAND(at < n && out[at] == text[i]);
			at++;
		}
		DEMAND(at == n || (at + 1 == n && out[at] == '\n'));
	}
	free(wire);
}

/* The same however it is cut. */
static void
judge_looks(const char *text, size_t length, uint32_t seed)
{
	struct content whole = {0}, parts = {0};
	struct hops hops = {0}, cut = {0};
	bool lf = false, cr = false;

	content_look(&whole, text, length);
	hops_count(&hops, text, length);
	for (size_t at = 0, n; at < length; at += n) {
		n = fuzz_cut(&seed, length - at);
		content_look(&parts, text + at, n);
		hops_count(&cut, text + at, n);
	}
	content_end(&whole);
	content_end(&parts);
	for (size_t i = 0; i < length; i++) {
		cr = cr || (text[i] == '\r' &&
			       (i + 1 == length || text[i + 1] != '\n'));
		lf = lf || (text[i] == '\n' && (i == 0 || text[i - 1] != '\r'));
	}
	DEMAND(hops.count == cut.count);
	DEMAND(whole.bare_return == cr && whole.bare_newline == lf);
	DEMAND(whole.size == parts.size && (cr || whole.size >= length));
	DEMAND(
	    whole.header_end == parts.header_end && whole.header_end <= length);
	DEMAND(whole.nul == parts.nul && parts.bare_return == cr &&
	       parts.bare_newline == lf && whole.eight_bit == parts.eight_bit &&
	       whole.unfinished == parts.unfinished &&
	       whole.header_eight_bit == parts.header_eight_bit);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char end[] = "\r\n.\r\n";
	struct fuzz fuzz = fuzz_begin(data, size);
	unsigned options = fuzz_octet(&fuzz);
	uint32_t seed = fuzz_octet(&fuzz);
	struct data as = {
	    .newline = (enum data_newline)((options & 3) % 3),
	    .crlf = options & 4,
	    .chunked = options & 8,
	};
	char *text = malloc(fuzz.length + sizeof end);

	if (!text)
		abort();
	memcpy(text, fuzz.text, fuzz.length);
	judge_looks(text, fuzz.length, seed);
	judge_dots(text, fuzz.length, seed);
	/* So that it always has an end. */
	if (!as.chunked) {
		memcpy(text + fuzz.length, end, strlen(end));
		fuzz.length += strlen(end);
	}
	judge(&as, text, fuzz.length, 0);
	judge(&as, text, fuzz.length, seed + 1);
	free(text);
	return 0;
}
