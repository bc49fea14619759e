#include "answer.h"

#include <string.h>

#include "text.h"

/* The code that a line begins with, 0 if none: the first digit is judged, as
 * RFC 5321 4.3.2 asks of clients, the others need only be digits. */
static int
code_of(const char *line, size_t length)
{
	if (length < 3 || line[0] < '2' || line[0] > '5' ||
	    !text_is_digit(line[1]) || !text_is_digit(line[2]))
		return 0;
	if (length > 3 && line[3] != ' ' && line[3] != '-')
		return 0;
	return (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
}

/* Keeps the text of the line, as far as there is room. */
static void
keep(struct answer *answer, bool first)
{
	size_t length = answer->length > 4 ? answer->length - 4 : 0;
	size_t room = sizeof answer->text - answer->text_length;

	if (!first && room > 0) {
		answer->text[answer->text_length++] = '\n';
		room--;
	}
	if (length > room)
		length = room;
	memcpy(answer->text + answer->text_length, answer->line + 4, length);
	answer->text_length += length;
}

static enum answer_found
end_line(struct answer *answer)
{
	bool first = answer->lines == 0;
	int code;

	if (answer->length > 0 && answer->line[answer->length - 1] == '\r')
		answer->length--;
	code = code_of(answer->line, answer->length);
	if (answer->length > ANSWER_LINE_MAX || code == 0 ||
	    (!first && code != answer->code))
		return ANSWER_BAD;
	answer->code = code;
	keep(answer, first);
	answer->lines++;
	answer->whole = answer->length == 3 || answer->line[3] == ' ';
	answer->ended = true;
	return answer->whole ? ANSWER_WHOLE : ANSWER_LINE;
}

/* What was found last has been seen: makes room for what follows. */
static void
forget(struct answer *answer)
{
	if (answer->whole)
		answer->begun = answer->whole = false;
	if (!answer->begun) {
		answer->code = 0;
		answer->lines = answer->octets = answer->text_length = 0;
	}
	if (!answer->begun || answer->ended)
		answer->length = 0;
	answer->begun = true;
	answer->ended = false;
}

enum answer_found
answer_take(struct answer *answer, const char **input, size_t *input_length)
{
	if (*input_length > 0)
		forget(answer);
	while (*input_length > 0) {
		char octet = *(*input)++;

		(*input_length)--;
		if (octet == '\0' || ++answer->octets > ANSWER_MAX)
			return ANSWER_BAD;
		if (octet == '\n')
			return end_line(answer);
		/* There is room for the CR of the longest line, too. */
		if (answer->length == sizeof answer->line)
			return ANSWER_BAD;
		answer->line[answer->length++] = octet;
	}
	return ANSWER_NONE;
}
