#include "xclient.h"

#include <stdint.h>
#include <string.h>

#include "address.h"
#include "ip.h"
#include "number.h"
#include "param.h"
#include "text.h"
#include "xtext.h"

static void
set(struct xclient_value *value, const char *text, size_t length)
{
	memcpy(value->text, text, length);
	value->text[length] = '\0';
	value->length = length;
}

/* No literal: that would be an address. */
static bool
check_name(struct xclient_value *value)
{
	return value->text[0] != '[' &&
	       domain_valid(value->text, value->length, false);
}

static bool
check_address(struct xclient_value *value)
{
	static const char prefix[] = "IPV6:";
	size_t n = sizeof prefix - 1;
	char text[IP_TEXT_MAX];
	struct ip ip;
	bool good;

	if (value->length > n && text_same(value->text, n, prefix, n))
		good = ip_read_v6(value->text + n, value->length - n, &ip);
	else
		good = ip_read_v4(value->text, value->length, &ip) ||
		       ip_read_v6(value->text, value->length, &ip);
	if (!good)
		return false;
	ip_format(&ip, text);
	set(value, text, strlen(text));
	return true;
}

static bool
check_port(struct xclient_value *value)
{
	char text[NUMBER_TEXT_MAX];
	uint64_t port;

	if (!number_parse(value->text, value->length, 65535, &port))
		return false;
	set(value, text, number_format(port, text));
	return true;
}

static bool
check_protocol(struct xclient_value *value)
{
	static const char *const protocols[] = {"SMTP", "ESMTP"};

	for (size_t i = 0; i < sizeof protocols / sizeof *protocols; i++) {
		size_t n = strlen(protocols[i]);
		if (text_same(value->text, value->length, protocols[i], n)) {
			set(value, protocols[i], n);
			return true;
		}
	}
	return false;
}

/* As HELO and EHLO take it. */
static bool
check_helo(struct xclient_value *value)
{
	return !text_has_control(value->text, value->length) &&
	       !memchr(value->text, ' ', value->length);
}

static bool
check_login(struct xclient_value *value)
{
	return text_is_clean(value->text, value->length);
}

static const struct {
	const char *name;
	bool (*check)(struct xclient_value *value);
} attributes[XCLIENT_ATTRIBUTES] = {
    [XCLIENT_NAME] = {"NAME", check_name},
    [XCLIENT_ADDR] = {"ADDR", check_address},
    [XCLIENT_PORT] = {"PORT", check_port},
    [XCLIENT_PROTO] = {"PROTO", check_protocol},
    [XCLIENT_HELO] = {"HELO", check_helo},
    [XCLIENT_LOGIN] = {"LOGIN", check_login},
    [XCLIENT_DESTADDR] = {"DESTADDR", check_address},
    [XCLIENT_DESTPORT] = {"DESTPORT", check_port},
};

static bool
decode(struct xclient_value *value, const char *text, size_t length)
{
	size_t n;

	for (size_t at = 0; at < length; at += n) {
		if (value->length == XCLIENT_VALUE_MAX)
			return false;
		n = xtext_next(
		    text + at, length - at, &value->text[value->length]);
		if (n == 0)
			return false;
		value->length++;
	}
	value->text[value->length] = '\0';
	return value->length > 0;
}

static bool
clears(const struct xclient_value *value)
{
	return text_same(value->text, value->length, "[UNAVAILABLE]", 13) ||
	       text_same(value->text, value->length, "[TEMPUNAVAIL]", 13);
}

static bool
read_attribute(struct xclient *xclient, const struct param *param)
{
	struct xclient_value *value;
	size_t i = 0;

	while (!param_is(param, attributes[i].name))
		if (++i == XCLIENT_ATTRIBUTES)
			return false;
	value = &xclient->values[i];
	if (value->state != XCLIENT_ABSENT || !param->value ||
	    !decode(value, param->value, param->value_length))
		return false;
	if (clears(value)) {
		*value = (struct xclient_value){.state = XCLIENT_CLEARED};
		return true;
	}
	value->state = XCLIENT_SET;
	return attributes[i].check(value);
}

bool
xclient_parse(const char *text, size_t length, struct xclient *xclient)
{
	enum param_found found;
	struct param param;
	size_t at = 0, count = 0;

	memset(xclient, 0, sizeof *xclient);
	while ((found = param_next(text, length, false, &at, &param)) ==
	       PARAM_FOUND) {
		if (!read_attribute(xclient, &param))
			return false;
		count++;
	}
	return found == PARAM_END && count > 0;
}
