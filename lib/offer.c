#include "offer.h"

#include <string.h>

#include "number.h"
#include "text.h"

/* Takes the next word off line[*at..length), which spaces separate. */
static size_t
next_word(const char *line, size_t length, size_t *at, const char **word)
{
	size_t start;

	while (*at < length && line[*at] == ' ')
		++*at;
	start = *at;
	while (*at < length && line[*at] != ' ')
		++*at;
	*word = line + start;
	return *at - start;
}

static bool
is(const char *word, size_t length, const char *name)
{
	return text_same(word, length, name, strlen(name));
}

static void
learn_size(struct offer *offer, const char *line, size_t length, size_t at)
{
	const char *word;
	size_t n = next_word(line, length, &at, &word);

	offer->extensions |= OFFER_SIZE;
	/* What is no number is no limit that we know. */
	if (!number_parse(word, n, UINT64_MAX, &offer->size_max))
		offer->size_max = 0;
}

static void
learn_auth(struct offer *offer, const char *line, size_t length, size_t at)
{
	const char *word;
	size_t n;

	while ((n = next_word(line, length, &at, &word)) > 0) {
		if (is(word, n, "PLAIN"))
			offer->extensions |= OFFER_AUTH_PLAIN;
		else if (is(word, n, "LOGIN"))
			offer->extensions |= OFFER_AUTH_LOGIN;
	}
}

void
offer_learn(struct offer *offer, const char *line, size_t length)
{
	static const struct {
		const char *keyword;
		enum offer_extension extension;
	} plain[] = {
	    {"PIPELINING", OFFER_PIPELINING},
	    {"8BITMIME", OFFER_8BITMIME},
	    {"SMTPUTF8", OFFER_SMTPUTF8},
	    {"DSN", OFFER_DSN},
	};
	const char *word;
	size_t at = 0, n = next_word(line, length, &at, &word);

	if (is(word, n, "SIZE"))
		learn_size(offer, line, length, at);
	if (is(word, n, "AUTH"))
		learn_auth(offer, line, length, at);
	/* As Exchange 5 and old Postfix said it. */
	if (n > 5 && is(word, 5, "AUTH="))
		learn_auth(offer, line, length, (size_t)(word - line) + 5);
	for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
		if (is(word, n, plain[i].keyword))
			offer->extensions |= plain[i].extension;
}
