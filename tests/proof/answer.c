/* Rooms: answer
 * With: text utf8
 * Limits: ANSWER_LINE_MAX=5 ANSWER_MAX=12 ANSWER_TEXT_MAX=4
 * Pieces up to LENGTH octets in any state, with less room than there is. */
#include "answer.h"

#include "prove.h"

enum { LENGTH = 7 };

static void
once(size_t length, size_t kept, size_t text_length)
{
	struct answer answer;
	const char *text = octets(length);

	ANYTHING(answer);
	answer.begun = any_bool();
	answer.ended = any_bool();
	answer.whole = any_bool();
	answer.length = kept;
	answer.text_length = text_length;
	enum answer_found found = answer_take(&answer, &text, &length);

	/* What models/answer.c relies on. */
	if (found == ANSWER_LINE || found == ANSWER_WHOLE) {
		//@ assert 3 <= answer.length <= ANSWER_LINE_MAX;
	}
	//@ assert answer.length <= ANSWER_LINE_MAX + 1;
	//@ assert answer.text_length <= ANSWER_TEXT_MAX;
}

void
prove(void)
{
	//@ loop unroll 99;
	for (size_t kept = 0; kept <= ANSWER_LINE_MAX + 1; kept++) {
		//@ loop unroll 99;
		for (size_t n = 0; n <= ANSWER_TEXT_MAX; n++)
			once(LENGTH, kept, n);
		once(kept, kept, 0);
	}
}
