/* Fuzzes what others say as it arrives, an upstream's replies and a policy
 * server's answers: cut anywhere it is found to be the same, and what is quoted
 * to the client is one legal reply. The first octet of an input is options, the
 * second a seed, the rest what they say. */
#include "answer.h"

#include "action.h"
#include "clean.h"
#include "fuzz.h"
#include "offer.h"
#include "quote.h"

/* What was found in all of it, as one number; and where it ended. */
struct found {
	uint64_t hash;
	size_t replies, used;
	bool bad;
};

static void
add(struct found *found, const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		found->hash =
		    (found->hash ^ (unsigned char)text[i]) * 0x100000001b3;
}

static void
judge_quote(const struct quote *quote, bool worst)
{
	size_t length;
	const char *text = quote_reply(quote, &length);
	int code = reply_code(text, length, quote->utf8);

	DEMAND(length == 0 ? quote->code == 0 : code == quote->code);
	DEMAND(length == 0 || text[length - 1] == '\n');
	DEMAND(code != 421);
	DEMAND(!worst || code < 500);
}

/* Quotes what was found about somebody, and about nobody. */
static void
quote_it(struct quote quotes[2], const struct answer *answer)
{
	static const char who[] = "ann@example.org";

	if (answer->code / 100 == 3)
		return;
	quote_add(&quotes[0], answer->code, answer->text, answer->text_length,
	    NULL, 0);
	quote_add(&quotes[1], answer->code, answer->text, answer->text_length,
	    answer->lines % 2 ? who : answer->text,
	    answer->lines % 2 ? strlen(who) : answer->text_length % 300);
	judge_quote(&quotes[0], false);
	judge_quote(&quotes[1], false);
}

static void
judge_answer(const struct answer *answer, enum answer_found what)
{
	DEMAND(answer->code >= 200 && answer->code < 600);
	DEMAND(answer->length <= ANSWER_LINE_MAX && answer->length >= 3);
	DEMAND(answer->text_length <= ANSWER_TEXT_MAX);
	DEMAND(!memchr(answer->text, '\0', answer->text_length));
	DEMAND(answer->whole == (what == ANSWER_WHOLE));
	DEMAND(answer->octets <= ANSWER_MAX);
}

static struct found
find(const char *text, size_t length, uint32_t seed, struct quote quotes[2])
{
	static struct answer answer;
	struct found found = {0};
	struct offer offer = {0};

	answer = (struct answer){0};
	while (found.used < length && !found.bad) {
		size_t given =
		    seed ? fuzz_cut(&seed, length - found.used) : length;
		size_t left = given;
		char *lent = fuzz_copy(text + found.used, given);
		const char *input = lent;

		do {
			enum answer_found what =
			    answer_take(&answer, &input, &left);

			DEMAND((size_t)(input - lent) == given - left);
			found.bad = what == ANSWER_BAD;
			if (what == ANSWER_NONE || found.bad)
				break;
			judge_answer(&answer, what);
			add(&found, answer.line, answer.length + 1);
			offer_learn(&offer, answer.line + 3, answer.length - 3);
			if (what == ANSWER_LINE)
				continue;
			add(&found, answer.text, answer.text_length);
			found.replies++;
			if (quotes)
				quote_it(quotes, &answer);
		} while (left > 0);
		DEMAND(found.bad || left == 0);
		found.used += given - left;
		free(lent);
	}
	add(&found, (const char *)&offer.extensions, sizeof offer.extensions);
	return found;
}

/* A policy server's. */
static void
judge_action(const char *text, size_t length, bool utf8)
{
	static struct action action;
	const char *value;
	size_t n;

	if (action_find(text, length, &value, &n) == ACTION_FOUND) {
		DEMAND(n > 0 && value > text && value + n < text + length);
		DEMAND(!memchr(value, '\n', n) && !memchr(value, '\0', n));
	} else {
		value = text;
		n = length;
	}
	action_read(&action, value, n, utf8);
	DEMAND(action.length <= sizeof action.text);
	DEMAND(!fuzz_controls(
	    action.text, action.length - (action.kind == ACTION_REFUSE), ""));
	if (action.kind != ACTION_REFUSE)
		return;
	DEMAND(reply_code(action.text, action.length, utf8) == action.code);
	DEMAND(action.code >= 400);
	DEMAND(reply_enhanced(action.text + 4, action.length - 5) > 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct quote quotes[2];
	struct fuzz fuzz = fuzz_begin(data, size);
	unsigned options = fuzz_octet(&fuzz);
	uint32_t seed = fuzz_octet(&fuzz);
	struct found whole, parts;
	char out[64], *text = fuzz_copy(fuzz.text, fuzz.length);
	size_t n = clean(text, fuzz.length, options & 1, out, options / 4);

	DEMAND(n <= options / 4 && !fuzz_controls(out, n, ""));
	quote_clear(&quotes[0]);
	quote_clear(&quotes[1]);
	quotes[0].utf8 = quotes[1].utf8 = options & 1;
	whole = find(text, fuzz.length, 0, quotes);
	parts = find(text, fuzz.length, seed + 1, NULL);
	DEMAND(whole.hash == parts.hash && whole.replies == parts.replies &&
	       whole.used == parts.used && whole.bad == parts.bad);
	quote_take(&quotes[0], &quotes[1]);
	judge_quote(&quotes[0], false);
	quote_soften(&quotes[0]);
	judge_quote(&quotes[0], true);
	judge_action(text, fuzz.length, options & 1);
	free(text);
	return 0;
}
