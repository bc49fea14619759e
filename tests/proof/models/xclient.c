/* The room xclient: it reads all that it is given and finds anything. */
#include "xclient.h"

#include "prove.h"

bool
xclient_parse(const char *text, size_t length, struct xclient *xclient)
{
	for (size_t i = 0; i < length; i++)
		(void)text[i];
	//@ loop unroll 99;
	for (int i = 0; i < XCLIENT_ATTRIBUTES; i++) {
		xclient->values[i].state =
		    Frama_C_interval(XCLIENT_ABSENT, XCLIENT_SET);
		xclient->values[i].length = any_size(0, XCLIENT_VALUE_MAX);
		Frama_C_make_unknown((char *)xclient->values[i].text,
		    sizeof xclient->values[i].text);
	}
	return any_bool();
}
