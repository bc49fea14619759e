/* Rooms: text
 * With: utf8
 * Texts up to LENGTH octets, of characters up to CHARACTERS. */
#include "text.h"

#include "prove.h"

enum { LENGTH = 24, CHARACTERS = 8 };

static void
once(size_t length)
{
	char *text = octets(length), *other = octets(length);

	(void)text_is_ascii(text, length);
	(void)text_has_control(text, length);
	(void)text_same(text, length, other, length);
	(void)text_same(text, length, other, length + 1);
}

static void
characters(size_t length)
{
	char *text = octets(length);
	size_t n;

	(void)text_is_clean(text, length);
	n = text_utf8(text, length);
	if (n > 0)
		(void)text[n - 1];
}

void
prove(void)
{
	char c = (char)any_int(-128, 127);

	(void)text_lower(c);
	(void)text_upper(c);
	(void)text_is_letter(c);
	(void)text_is_digit(c);
	(void)text_is_print(c);
	//@ loop unroll 99;
	for (size_t length = 0; length <= LENGTH; length++)
		once(length);
	//@ loop unroll 99;
	for (size_t length = 0; length <= CHARACTERS; length++)
		characters(length);
}
