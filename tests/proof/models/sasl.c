/* The room sasl with steps that read and write over all of a line and come to
 * anything that its mechanism may come to, and a sasl_wipe() that Eva takes at
 * once. */
#include "sasl.h"

#include "prove.h"

#define sasl_initial sasl_initial_itself
#define sasl_response sasl_response_itself
#define sasl_wipe sasl_wipe_itself
#include <sasl.c>
#undef sasl_initial
#undef sasl_response
#undef sasl_wipe

enum sasl_step sasl_initial(struct sasl *sasl, char *text, size_t length);
enum sasl_step sasl_response(struct sasl *sasl, char *text, size_t length);
void sasl_wipe(void *secret, size_t length);

void
sasl_wipe(void *secret, size_t length)
{
	memset(secret, 0, length);
}

enum sasl_step
sasl_initial(struct sasl *sasl, char *text, size_t length)
{
	//@ loop unroll 999;
	for (size_t i = 0; i < length; i++)
		text[i] = text[i];
	if (any_bool())
		return SASL_UNDECODABLE;
	if (any_bool())
		return SASL_CANCELLED;
	if (any_bool())
		return SASL_NO_INITIAL;
	if (any_bool())
		return SASL_REFUSED;
	Frama_C_make_unknown((char *)sasl->user, sizeof sasl->user);
	sasl->user_length = any_size(1, SASL_USER_MAX);
	if (sasl->mechanism == SASL_LOGIN && any_bool())
		return SASL_ASK;
	sasl->password = text + length;
	sasl->password_length = 0;
	if (length > 0) {
		sasl->password = text + any_size(0, length - 1);
		sasl->password_length = 1;
	}
	return SASL_DONE;
}

enum sasl_step
sasl_response(struct sasl *sasl, char *text, size_t length)
{
	return sasl_initial(sasl, text, length);
}
