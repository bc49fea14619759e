/* The room param, which reads all that it is given and finds any words in it,
 * behind a space but for the first, and with a value or none; which are the
 * ones that were asked for is open. tests/proof/param.c proves that the words
 * are in the text. */
#include "param.h"

#include "prove.h"

/* From low to high, each alone. */
static size_t
each(size_t low, size_t high)
{
	while (low < high && any_bool())
		low++;
	return low;
}

enum param_found
param_next(
    const char *text, size_t length, bool utf8, size_t *at, struct param *param)
{
	size_t n;

	(void)utf8;
	if (*at == length)
		return PARAM_END;
	(void)text[length - 1];
	if (*at > 0)
		++*at;
	if (*at == length || any_bool())
		return *at == length ? PARAM_END : PARAM_BAD;
	n = each(1, length - *at);
	*param = (struct param){.keyword = text + *at, .keyword_length = n};
	*at += n;
	if (n > 2 && any_bool()) {
		param->keyword_length = each(1, n - 2);
		param->value = param->keyword + param->keyword_length + 1;
		param->value_length = n - 1 - param->keyword_length;
	}
	return PARAM_FOUND;
}

bool
param_is(const struct param *param, const char *name)
{
	(void)name;
	(void)param->keyword[param->keyword_length - 1];
	return any_bool();
}

bool
param_repeated(
    const char *text, size_t length, bool utf8, const struct param *param)
{
	(void)utf8;
	(void)text[length - 1];
	return param_is(param, "");
}
