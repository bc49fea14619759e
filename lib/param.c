#include "param.h"

#include <string.h>

#include "text.h"

/* esmtp-keyword = (ALPHA / DIGIT) *(ALPHA / DIGIT / "-") */
static size_t
keyword(const char *text, size_t length)
{
	size_t n = 0;

	while (
	    n < length && (text_is_letter(text[n]) || text_is_digit(text[n]) ||
			      (n > 0 && text[n] == '-')))
		n++;
	return n;
}

/* esmtp-value = 1*(%d33-60 / %d62-126), and UTF-8 by RFC 6531 3.3 */
static size_t
value(const char *text, size_t length, bool utf8)
{
	size_t n = 0, octets;

	while (n < length && text[n] != ' ' && text[n] != '=') {
		octets = text_is_print(text[n]) ? 1 : 0;
		if ((unsigned char)text[n] >= 0x80 && utf8)
			octets = text_utf8(text + n, length - n);
		if (octets == 0)
			break;
		n += octets;
	}
	return n;
}

enum param_found
param_next(
    const char *text, size_t length, bool utf8, size_t *at, struct param *param)
{
	size_t here = *at;

	while (here < length && text[here] == ' ')
		here++;
	*at = here;
	if (here == length)
		return PARAM_END;
	*param = (struct param){.keyword = text + here};
	param->keyword_length = keyword(text + here, length - here);
	here += param->keyword_length;
	if (param->keyword_length == 0)
		return PARAM_BAD;
	if (here < length && text[here] == '=') {
		here++;
		param->value = text + here;
		param->value_length = value(text + here, length - here, utf8);
		here += param->value_length;
		if (param->value_length == 0)
			return PARAM_BAD;
	}
	*at = here;
	return here == length || text[here] == ' ' ? PARAM_FOUND : PARAM_BAD;
}

bool
param_is(const struct param *param, const char *name)
{
	return text_same(
	    param->keyword, param->keyword_length, name, strlen(name));
}

bool
param_repeated(
    const char *text, size_t length, bool utf8, const struct param *param)
{
	struct param other;
	size_t at = 0;

	while (param_next(text, length, utf8, &at, &other) == PARAM_FOUND &&
	       other.keyword < param->keyword)
		if (text_same(other.keyword, other.keyword_length,
			param->keyword, param->keyword_length))
			return true;
	return false;
}

size_t
param_normalize(const char *text, size_t length, bool utf8, char *out)
{
	struct param param;
	size_t at = 0, used = 0;

	while (param_next(text, length, utf8, &at, &param) == PARAM_FOUND) {
		if (used > 0)
			out[used++] = ' ';
		for (size_t i = 0; i < param.keyword_length; i++)
			out[used++] = text_upper(param.keyword[i]);
		if (!param.value)
			continue;
		out[used++] = '=';
		memcpy(out + used, param.value, param.value_length);
		used += param.value_length;
	}
	return used;
}
