#include "variables.h"

#include <string.h>

#include "sasl.h"

static char *
variable(struct variables *variables, size_t i)
{
	return variables->text + variables->at[i];
}

static void
take_out(struct variables *variables, size_t i)
{
	char *text = variable(variables, i);
	size_t octets = strlen(text) + 1, at = variables->at[i];

	memmove(text, text + octets, variables->length - at - octets);
	variables->length -= octets;
	variables->count--;
	for (; i < variables->count; i++) {
		variables->at[i] = variables->at[i + 1] - octets;
		variables->marked[i] = variables->marked[i + 1];
	}
}

/* Its place; variables->count if it is not there. */
static size_t
find(const struct variables *variables, const char *name, size_t length)
{
	size_t i = 0;

	for (; i < variables->count; i++) {
		const char *text = variables->text + variables->at[i];

		if (strncmp(text, name, length) == 0 && text[length] == '=')
			break;
	}
	return i;
}

bool
variables_set(struct variables *variables, const char *name, size_t name_length,
    const char *value, size_t value_length, bool marked)
{
	size_t old = find(variables, name, name_length);
	bool replaces = old < variables->count;
	size_t freed = replaces ? strlen(variable(variables, old)) + 1 : 0;
	size_t octets = name_length + value_length + 2;
	char *to;

	if (octets > sizeof variables->text - variables->length + freed ||
	    (!replaces && variables->count == VARIABLES_MAX))
		return false;
	if (replaces)
		take_out(variables, old);
	variables->at[variables->count] = variables->length;
	variables->marked[variables->count] = marked;
	to = variable(variables, variables->count++);
	variables->length += octets;
	memcpy(to, name, name_length);
	to[name_length] = '=';
	if (value_length > 0)
		memcpy(to + name_length + 1, value, value_length);
	to[octets - 1] = '\0';
	return true;
}

void
variables_drop(struct variables *variables, bool all)
{
	for (size_t i = variables->count; i > 0; i--)
		if (all || !variables->marked[i - 1])
			take_out(variables, i - 1);
}

const char *
variables_find(const struct variables *variables, const char *name)
{
	size_t i = find(variables, name, strcspn(name, "="));

	return i < variables->count ? variables->text + variables->at[i] : NULL;
}

void
variables_forget(struct variables *variables)
{
	if (variables->count == 0)
		return;
	sasl_wipe(variables->text, variables->length);
	variables->length = variables->count = 0;
}
