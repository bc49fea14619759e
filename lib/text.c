#include "text.h"

#include "utf8.h"

char
text_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

char
text_upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c - ('a' - 'A')) : c;
}

bool
text_is_letter(char c)
{
	c = text_lower(c);
	return c >= 'a' && c <= 'z';
}

bool
text_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool
text_is_print(char c)
{
	return c >= ' ' && c <= '~';
}

bool
text_is_ascii(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)text[i] >= 0x80)
			return false;
	return true;
}

bool
text_same(const char *a, size_t a_length, const char *b, size_t b_length)
{
	if (a_length != b_length)
		return false;
	for (size_t i = 0; i < a_length; i++)
		if (text_lower(a[i]) != text_lower(b[i]))
			return false;
	return true;
}

bool
text_has_control(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if ((unsigned char)text[i] < 32 || text[i] == 127)
			return true;
	return false;
}

size_t
text_utf8(const char *text, size_t length)
{
	struct utf8 utf8 = {0};
	enum utf8_step step = UTF8_PART;

	for (size_t i = 0; i < length && step == UTF8_PART; i++)
		step = utf8_add(&utf8, (unsigned char)text[i]);
	if (step != UTF8_WHOLE ||
	    (utf8.octets[0] == 0xc2 && utf8.octets[1] < 0xa0))
		return 0;
	return utf8.count;
}

bool
text_is_clean(const char *text, size_t length)
{
	for (size_t at = 0, n; at < length; at += n) {
		n = text_is_print(text[at]) ? 1 : 0;
		if ((unsigned char)text[at] >= 0x80)
			n = text_utf8(text + at, length - at);
		if (n == 0)
			return false;
	}
	return true;
}
