/* Inside: action
 * With: clean reply
 * Models: text
 * Answers up to ANSWER octets, actions up to SHORT, whatever words they begin
 * with, up to LENGTH behind those. */
#include <action.c>

#include "prove.h"

enum { ANSWER = 11, LENGTH = 5, SHORT = 3 };

static void
find(size_t length)
{
	const char *text = octets(length), *value;
	size_t n;

	if (action_find(text, length, &value, &n) == ACTION_FOUND)
		(void)value[n - 1];
}

static void
whole(size_t length)
{
	struct action action;

	action_read(&action, octets(length), length, any_bool());
	//@ assert action.length <= ACTION_FIELD_MAX;
}

static void
row(size_t length, size_t i)
{
	struct action action;

	action.length = any_size(0, ACTION_FIELD_MAX);
	take_row(&action, i, (struct span){octets(length), length}, any_bool());
	//@ assert action.length <= ACTION_FIELD_MAX;
}

static void
number(size_t length)
{
	struct action action;

	action.length = any_size(0, ACTION_FIELD_MAX);
	take_number(&action, (struct span){octets(length), length}, any_bool());
}

void
prove(void)
{
	//@ loop unroll 99;
	for (size_t length = 0; length <= ANSWER; length++)
		find(length);
	//@ loop unroll 99;
	for (size_t length = 0; length <= SHORT; length++)
		whole(length);
	//@ loop unroll 99;
	for (size_t length = 0; length <= LENGTH; length++) {
		//@ loop unroll 99;
		for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
			row(length, i);
		number(length);
	}
}
