/* The variables that hooks set: order, replacing, dropping, both limits at n
 * and n+1. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "units.h"
#include "variables.h"

static struct variables all;

/* Sets NAME to a text; the text is copied to where a read too far is seen. */
static bool
set(const char *name, const char *value, bool marked)
{
	char *lent_name = exactly(name, strlen(name));
	char *lent_value = exactly(value, strlen(value));
	bool done = variables_set(
	    &all, lent_name, strlen(name), lent_value, strlen(value), marked);

	free(lent_name);
	free(lent_value);
	return done;
}

static bool
is(const char *name, const char *wanted)
{
	const char *found = variables_find(&all, name);

	return wanted ? found && strcmp(found, wanted) == 0 : !found;
}

/* The texts lie one behind the other, and nothing else is there. */
static bool
sound(void)
{
	size_t at = 0;

	for (size_t i = 0; i < all.count; i++) {
		if (all.at[i] != at || !strchr(all.text + at, '='))
			return false;
		at += strlen(all.text + at) + 1;
	}
	return at == all.length && at <= sizeof all.text;
}

static void
names_and_values(void)
{
	memset(&all, 0, sizeof all);
	CHECK(is("X_A", NULL));
	CHECK(set("X_A", "1", false));
	CHECK(set("X_AB", "", false));
	CHECK(set("X_B", "a=b c", false));
	CHECK(is("X_A", "X_A=1"));
	CHECK(is("X_A=whatever", "X_A=1"));
	CHECK(is("X_AB", "X_AB="));
	CHECK(is("X_B", "X_B=a=b c"));
	CHECK(is("X_", NULL));
	CHECK(is("X_ABC", NULL));
	CHECK(is("", NULL));
	CHECK(is("a", NULL));
	/* Anew, longer and shorter; the others stay. */
	CHECK(set("X_A", "longer than before", false));
	CHECK(sound() && all.count == 3);
	CHECK(set("X_B", "", false));
	CHECK(set("X_A", "s", false));
	CHECK(sound() && all.count == 3);
	CHECK(is("X_A", "X_A=s"));
	CHECK(is("X_AB", "X_AB="));
	CHECK(is("X_B", "X_B="));
}

static void
marks(void)
{
	memset(&all, 0, sizeof all);
	CHECK(set("X_A", "1", true) && set("X_B", "2", false) &&
	      set("X_C", "3", true) && set("X_D", "4", false));
	variables_drop(&all, false);
	CHECK(sound() && all.count == 2);
	CHECK(is("X_A", "X_A=1") && is("X_C", "X_C=3"));
	CHECK(is("X_B", NULL) && is("X_D", NULL));
	/* The last who sets it says whether it stays. */
	CHECK(set("X_A", "1", false) && set("X_B", "2", true));
	variables_drop(&all, false);
	CHECK(sound() && all.count == 2);
	CHECK(is("X_A", NULL) && is("X_B", "X_B=2") && is("X_C", "X_C=3"));
	variables_drop(&all, true);
	CHECK(sound() && all.count == 0 && all.length == 0);
	CHECK(set("X_A", "again", false) && is("X_A", "X_A=again"));
}

static void
count_limit(void)
{
	char name[16];

	memset(&all, 0, sizeof all);
	for (int i = 0; i < VARIABLES_MAX; i++) {
		(void)snprintf(name, sizeof name, "X_%d", i);
		CHECK_AT(set(name, "v", i % 2 == 0), i);
	}
	CHECK(all.count == VARIABLES_MAX && sound());
	CHECK(!set("X_MORE", "v", false));
	CHECK(is("X_MORE", NULL) && all.count == VARIABLES_MAX && sound());
	/* One that is there can still be changed. */
	CHECK(set("X_0", "w", true) && is("X_0", "X_0=w") && sound());
	variables_drop(&all, false);
	CHECK(all.count == VARIABLES_MAX / 2 && sound());
	CHECK(set("X_MORE", "v", false));
}

static void
octets_limit(void)
{
	static char text[VARIABLES_OCTETS + 1];

	memset(text, 'x', sizeof text - 1);
	memset(&all, 0, sizeof all);
	/* "X_A=" and NUL. */
	text[VARIABLES_OCTETS - 5] = '\0';
	CHECK(set("X_A", text, false));
	CHECK(all.length == VARIABLES_OCTETS && sound());
	CHECK(!set("X_B", "", false));
	/* Its own room counts when it is replaced. */
	CHECK(set("X_A", text, false) && all.length == VARIABLES_OCTETS);
	text[VARIABLES_OCTETS - 5] = 'x';
	text[VARIABLES_OCTETS - 4] = '\0';
	CHECK(!set("X_A", text, false));
	CHECK(all.length == VARIABLES_OCTETS && all.count == 1 && sound());
	variables_drop(&all, true);
	CHECK(!set("X_A", text, false) && all.count == 0);
	/* Two that fill it. */
	text[VARIABLES_OCTETS - 5 - 6] = '\0';
	CHECK(set("X_A", text, false) && set("X_B", "1", false));
	CHECK(all.length == VARIABLES_OCTETS && sound());
	CHECK(!set("X_B", "12", false) && is("X_B", "X_B=1"));
	CHECK(set("X_A", "", false) && set("X_B", "12", false) && sound());
}

/* Against a model that keeps the last value of each. */
static void
at_random(void)
{
	int values[8];

	memset(&all, 0, sizeof all);
	memset(values, -1, sizeof values);
	for (int step = 0; step < 2000; step++) {
		char name[16], value[40], whole[64];
		int which = (int)chance(8);
		size_t length = chance(29);

		(void)snprintf(name, sizeof name, "X_%d", which);
		memset(value, '0', length);
		(void)snprintf(
		    value + length, sizeof value - length, "%d", step);
		CHECK_AT(set(name, value, false) && sound(), step);
		(void)snprintf(whole, sizeof whole, "%s=%s", name, value);
		CHECK_AT(is(name, whole), step);
		values[which] = step;
		for (int i = 0; i < 8; i++) {
			const char *found;

			(void)snprintf(name, sizeof name, "X_%d", i);
			found = variables_find(&all, name);
			CHECK_AT(found ? atoi(found + 4) == values[i]
				       : values[i] < 0,
			    step);
		}
	}
}

void
units_variables(void)
{
	names_and_values();
	marks();
	count_limit();
	octets_limit();
	at_random();
}
