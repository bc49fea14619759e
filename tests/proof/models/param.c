/* The room param, whose parser finds words of any lengths, and which says
 * anything of them. */
#include "param.h"

#include "prove.h"

#define param_next param_next_itself
#define param_is param_is_itself
#define param_repeated param_repeated_itself
#include <param.c>
#undef param_next
#undef param_is
#undef param_repeated

enum param_found param_next(const char *text, size_t length, bool utf8,
    size_t *at, struct param *param);
bool param_is(const struct param *param, const char *name);
bool param_repeated(
    const char *text, size_t length, bool utf8, const struct param *param);

enum param_found
param_next(
    const char *text, size_t length, bool utf8, size_t *at, struct param *param)
{
	size_t n = 1, begin = *at;

	(void)utf8;
	for (size_t i = 0; i < length; i++)
		(void)text[i];
	if (begin == length)
		return PARAM_END;
	if (any_bool())
		return PARAM_BAD;
	while (begin + n < length && any_bool())
		n++;
	*at = begin + n;
	*param = (struct param){.keyword = text + begin, .keyword_length = n};
	if (n > 2 && any_bool()) {
		param->keyword_length = 1;
		param->value = text + begin + 2;
		param->value_length = n - 2;
	}
	return PARAM_FOUND;
}

bool
param_is(const struct param *param, const char *name)
{
	for (size_t i = 0; i < param->keyword_length; i++)
		(void)param->keyword[i];
	(void)name[0];
	return any_bool();
}

bool
param_repeated(
    const char *text, size_t length, bool utf8, const struct param *param)
{
	(void)utf8;
	for (size_t i = 0; i < length; i++)
		(void)text[i];
	return param_is(param, "");
}
