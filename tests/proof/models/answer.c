/* The room answer with an answer_take() that reads all that it is given, as far
 * as it likes, and finds anything, codes that are none too. */
#include "prove.h"

#define answer_take answer_take_itself
#include "answer.h"
#include <answer.c>
#undef answer_take

enum answer_found answer_take(
    struct answer *answer, const char **input, size_t *input_length);

enum answer_found
answer_take(struct answer *answer, const char **input, size_t *input_length)
{
	bool more = true;

	while (*input_length > 0 && more) {
		(void)**input;
		++*input;
		--*input_length;
		more = any_bool();
	}
	answer->begun = true;
	answer->ended = any_bool();
	answer->code = any_int(-32768, 32767);
	answer->lines = any_size(1, ANSWER_MAX);
	answer->length = any_size(3, ANSWER_LINE_MAX);
	answer->text_length = any_size(0, ANSWER_TEXT_MAX);
	answer->whole = false;
	if (more)
		return ANSWER_NONE;
	if (any_bool())
		return ANSWER_BAD;
	answer->whole = any_bool();
	return answer->whole ? ANSWER_WHOLE : ANSWER_LINE;
}
