/* Rooms: answer
 * With: text utf8
 * Eva:
 * Limits: ANSWER_LINE_MAX=8 ANSWER_MAX=40 ANSWER_TEXT_MAX=10
 * Pieces up to LENGTH octets in any state, with less room than there is. */
#include "answer.h"

#include "prove.h"

enum { LENGTH = 12 };

static void
once(size_t length, size_t kept, size_t text_length, bool ended)
{
	struct answer answer;
	const char *text = octets(length);

	ANYTHING(answer);
	answer.begun = any_bool();
	answer.ended = ended;
	answer.whole = any_bool();
	answer.length = kept;
	answer.text_length = text_length;
	(void)answer_take(&answer, &text, &length);
}

void
prove(void)
{
	for (size_t length = 0; length <= LENGTH; length++)
		for (size_t kept = 0; kept <= ANSWER_LINE_MAX + 1; kept++)
			for (size_t n = 0; n <= ANSWER_TEXT_MAX; n++) {
				once(length, kept, n, false);
				once(length, kept, n, true);
			}
}
