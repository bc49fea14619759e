/* Fuzzes the attributes of XCLIENT: what is taken is fit for the environment,
 * and spelt again it is taken for the same. The input is what follows the
 * verb. */
#include "xclient.h"

#include "fuzz.h"
#include "network.h"

static const char *const names[XCLIENT_ATTRIBUTES] = {
    "NAME", "ADDR", "PORT", "PROTO", "HELO", "LOGIN", "DESTADDR", "DESTPORT"};

static void
judge(const struct xclient *xclient, int attribute)
{
	const struct xclient_value *value = &xclient->values[attribute];
	struct ip ip;

	DEMAND(strlen(value->text) == value->length ||
	       value->state != XCLIENT_SET);
	if (value->state != XCLIENT_SET) {
		DEMAND(value->length == 0 && value->text[0] == '\0');
		return;
	}
	DEMAND(value->length > 0 && value->length <= XCLIENT_VALUE_MAX);
	/* Octets outside ASCII of HELO the agent makes "?". */
	for (size_t i = 0; i < value->length; i++)
		DEMAND((unsigned char)value->text[i] >= ' ' &&
		       value->text[i] != 0x7f);
	if (attribute != XCLIENT_HELO)
		DEMAND(!fuzz_controls(value->text, value->length, ""));
	if (attribute == XCLIENT_ADDR || attribute == XCLIENT_DESTADDR)
		DEMAND(ip_parse(value->text, &ip));
	if (attribute == XCLIENT_PORT || attribute == XCLIENT_DESTPORT)
		DEMAND(atoi(value->text) < 65536 &&
		       strspn(value->text, "0123456789") == value->length &&
		       (value->text[0] != '0' || value->length == 1));
	if (attribute == XCLIENT_PROTO)
		DEMAND(strcmp(value->text, "SMTP") == 0 ||
		       strcmp(value->text, "ESMTP") == 0);
	if (attribute == XCLIENT_HELO)
		DEMAND(!strchr(value->text, ' '));
}

/* All octets as +XX. */
static size_t
spell(const struct xclient *xclient, char *out)
{
	char *at = out;

	for (int i = 0; i < XCLIENT_ATTRIBUTES; i++) {
		const struct xclient_value *value = &xclient->values[i];

		if (value->state == XCLIENT_ABSENT)
			continue;
		at += sprintf(at, "%s%s=%s", at > out ? " " : "", names[i],
		    value->state == XCLIENT_CLEARED ? "[UNAVAILABLE]" : "");
		for (size_t k = 0; k < value->length; k++)
			at +=
			    sprintf(at, "+%02X", (unsigned char)value->text[k]);
	}
	return (size_t)(at - out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct xclient xclient, again;
	static char spelt[XCLIENT_ATTRIBUTES * (3 * XCLIENT_VALUE_MAX + 24)];
	size_t words = 0, count = 0;

	if (!xclient_parse((const char *)data, size, &xclient))
		return 0;
	for (int i = 0; i < XCLIENT_ATTRIBUTES; i++) {
		judge(&xclient, i);
		count += xclient.values[i].state != XCLIENT_ABSENT;
	}
	for (size_t i = 0; i < size; i++)
		words += data[i] != ' ' && (i == 0 || data[i - 1] == ' ');
	DEMAND(count == words && count > 0);
	DEMAND(xclient_parse(spelt, spell(&xclient, spelt), &again));
	for (int i = 0; i < XCLIENT_ATTRIBUTES; i++)
		DEMAND(
		    xclient.values[i].state == again.values[i].state &&
		    strcmp(xclient.values[i].text, again.values[i].text) == 0);
	return 0;
}
