/* Rooms: xclient
 * With: text param xtext
 * Models: address ip number utf8
 * Limits: XCLIENT_VALUE_MAX=60
 * Attributes up to LENGTH octets. */
#include "xclient.h"

#include "prove.h"

enum { LENGTH = 8 };

static void
once(size_t length)
{
	struct xclient xclient;

	(void)xclient_parse(octets(length), length, &xclient);
}

void
prove(void)
{
	//@ loop unroll 99;
	for (size_t length = 0; length <= LENGTH; length++)
		once(length);
}
