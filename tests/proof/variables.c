/* Rooms: variables
 * Models: sasl
 * Limits: VARIABLES_MAX=3 VARIABLES_OCTETS=12
 * Octets: followed
 * Names and values up to LENGTH octets, so many that they do not fit. */
#include "variables.h"

#include "prove.h"

enum { LENGTH = 2 };

/* As the caller has to: no NUL. */
static char *
value(size_t length)
{
	char *text = room(length);

	for (size_t i = 0; i < length; i++)
		text[i] = (char)any_int(1, 127);
	return text;
}

static void
set(struct variables *variables, const char *name, size_t n, size_t length,
    bool marked)
{
	(void)variables_set(variables, name, n, value(length), length, marked);
}

static void
once(size_t a, size_t b, size_t c)
{
	struct variables variables = {0};

	set(&variables, "A", 1, a, true);
	set(&variables, "B", 1, b, false);
	set(&variables, "A", 1, c, false);
	set(&variables, "C", 1, a, any_bool());
	set(&variables, "D", 1, b, true);
	(void)variables_find(&variables, "B");
	(void)variables_find(&variables, "E=1");
	variables_drop(&variables, false);
	if (any_bool())
		variables_forget(&variables);
	variables_drop(&variables, true);
}

void
prove(void)
{
	//@ loop unroll 99;
	for (size_t a = 0; a <= LENGTH; a++)
		//@ loop unroll 99;
		for (size_t b = 0; b <= LENGTH; b++)
			//@ loop unroll 99;
			for (size_t c = 0; c <= LENGTH; c++)
				once(a, b, c);
}
