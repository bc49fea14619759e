/* Parts of UTF-8 characters, for the rooms that keep one between pieces. */
#ifndef SMTPD_PARTS_H
#define SMTPD_PARTS_H

#include "prove.h"
#include "utf8.h"

/* Any part of count octets, 0 to 3, of a character that has whole, 2 to 4. */
static inline struct utf8
utf8_part(unsigned char count, unsigned whole)
{
	struct utf8 part = {.count = count};

	if (count > 0 && whole == 2)
		part.octets[0] = (unsigned char)any_int(0xC2, 0xDF);
	if (count > 0 && whole == 3)
		part.octets[0] = (unsigned char)any_int(0xE0, 0xEF);
	if (count > 0 && whole == 4)
		part.octets[0] = (unsigned char)any_int(0xF0, 0xF4);
	for (unsigned char i = 1; i < count; i++)
		part.octets[i] = (unsigned char)any_int(0x80, 0xBF);
	return part;
}

/* Does it with each; nothing is kept apart but count and whole. */
#define EACH_PART(does, ...) \
	do { \
		does(__VA_ARGS__, utf8_part(0, 2)); \
		does(__VA_ARGS__, utf8_part(1, 2)); \
		does(__VA_ARGS__, utf8_part(1, 3)); \
		does(__VA_ARGS__, utf8_part(2, 3)); \
		does(__VA_ARGS__, utf8_part(1, 4)); \
		does(__VA_ARGS__, utf8_part(2, 4)); \
		does(__VA_ARGS__, utf8_part(3, 4)); \
	} while (0)

#endif
