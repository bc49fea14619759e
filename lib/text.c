#include "text.h"

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
	/* First octet, how many follow, bounds of the second: RFC 3629 4. */
	static const struct {
		unsigned char from, to, follow, low, high;
	} forms[] = {
	    {0x00, 0x7f, 0, 0x00, 0x00},
	    {0xc2, 0xc2, 1, 0xa0, 0xbf}, /* behind the C1 controls */
	    {0xc3, 0xdf, 1, 0x80, 0xbf},
	    {0xe0, 0xe0, 2, 0xa0, 0xbf},
	    {0xe1, 0xec, 2, 0x80, 0xbf},
	    {0xed, 0xed, 2, 0x80, 0x9f}, /* no surrogates */
	    {0xee, 0xef, 2, 0x80, 0xbf},
	    {0xf0, 0xf0, 3, 0x90, 0xbf},
	    {0xf1, 0xf3, 3, 0x80, 0xbf},
	    {0xf4, 0xf4, 3, 0x80, 0x8f},
	};
	const unsigned char *octets = (const unsigned char *)text;

	for (size_t i = 0; length > 0 && i < sizeof forms / sizeof *forms;
	     i++) {
		if (octets[0] < forms[i].from || octets[0] > forms[i].to)
			continue;
		if (length < 1u + forms[i].follow)
			return 0;
		for (size_t k = 1; k <= forms[i].follow; k++) {
			unsigned char low = k == 1 ? forms[i].low : 0x80;
			unsigned char high = k == 1 ? forms[i].high : 0xbf;
			if (octets[k] < low || octets[k] > high)
				return 0;
		}
		return 1u + forms[i].follow;
	}
	return 0;
}
