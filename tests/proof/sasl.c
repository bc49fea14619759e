/* Rooms: sasl
 * Models: base64 text
 * With: utf8
 * Limits: SASL_USER_MAX=4
 * Lines up to LENGTH octets. */
#include "sasl.h"

#include "prove.h"

enum { LENGTH = 12 };

static void
once(size_t length, enum sasl_mechanism mechanism)
{
	struct sasl sasl;
	enum sasl_step step;

	sasl_begin(&sasl, mechanism);
	step = sasl_initial(&sasl, octets(length), length);
	if (step == SASL_ASK || step == SASL_NO_INITIAL) {
		(void)sasl_ask(&sasl);
		step = sasl_response(&sasl, octets(length), length);
	}
	if (step == SASL_DONE && sasl.password_length > 0)
		(void)(sasl.password[0] +
		       sasl.password[sasl.password_length - 1]);
	sasl_wipe(&sasl, sizeof sasl);
}

void
prove(void)
{
	(void)sasl_user_valid(octets(SASL_USER_MAX + 1), SASL_USER_MAX + 1);
	//@ loop unroll 99;
	for (size_t length = 0; length <= LENGTH; length++) {
		(void)sasl_mechanism(octets(length), length);
		once(length, SASL_PLAIN);
		once(length, SASL_LOGIN);
		once(length, SASL_CRAM_MD5);
	}
	once(48, SASL_CRAM_MD5);
}
