/* Inside: hooktext
 * With: base64 reply sasl utf8 verdict
 * Models: text
 * Limits: HOOKTEXT_MAX=5 HOOKTEXT_NAME_MAX=3 SASL_USER_MAX=3
 * Eva: -eva-slevel-function prove_memchr:20
 * Output up to LENGTH octets, more than there may be here. */
#include <hooktext.c>

#include "prove.h"

enum { LENGTH = 6, NAMED = 17 };

static void
look(const struct hooktext_line *line)
{
	if (line->kind == HOOKTEXT_VARIABLE)
		(void)line->name[line->name_length - 1];
	if (line->value_length > 0)
		(void)line->value[line->value_length - 1];
}

static void
line(size_t length)
{
	struct hooktext_line line;

	hooktext_line(octets(length), length, &line);
	look(&line);
}

static void
variable(size_t length, size_t at)
{
	struct hooktext_line line;

	if (hooktext_variable(octets(length), length, &at, &line))
		look(&line);
	//@ assert at <= length;
}

static void
ended(size_t length)
{
	static char reply[REPLY_MAX + 1];
	size_t variables;

	(void)hooktext_verdict(any_int(VERDICT_EXITED, VERDICT_NOT_RUN),
	    any_int(0, 255), octets(length), length, any_bool(), reply,
	    sizeof reply, &variables);
	//@ assert variables <= length;
}

static void
login(size_t length)
{
	static char reply[REPLY_MAX + 1];

	(void)hooktext_login(any_int(VERDICT_EXITED, VERDICT_NOT_RUN),
	    any_int(0, 255), octets(length), length, any_bool(), any_bool(),
	    reply, sizeof reply);
}

void
prove(void)
{
	//@ loop unroll 99;
	for (size_t length = 0; length <= LENGTH; length++) {
		line(length);
		//@ loop unroll 99;
		for (size_t at = 0; at <= length; at++)
			variable(length, at);
		ended(length);
		login(length);
	}
	line(NAMED);
}
