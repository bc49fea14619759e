#include "dsn.h"

#include <stdint.h>
#include <string.h>

#include "address.h"
#include "text.h"
#include "xtext.h"

static bool
is_word(const char *text, size_t length, const char *word)
{
	return text_same(text, length, word, strlen(word));
}

bool
dsn_notify(const char *text, size_t length)
{
	static const char *const words[] = {"SUCCESS", "FAILURE", "DELAY"};
	unsigned seen = 0;

	if (length == 0)
		return false;
	if (is_word(text, length, "NEVER"))
		return true;
	for (;;) {
		const char *comma = memchr(text, ',', length);
		size_t n = comma ? (size_t)(comma - text) : length;
		unsigned this = 0;

		for (size_t i = 0; i < sizeof words / sizeof *words; i++)
			if (is_word(text, n, words[i]))
				this = 1u << i;
		if (this == 0 || (seen & this))
			return false;
		seen |= this;
		if (!comma)
			return true;
		text += n + 1;
		length -= n + 1;
	}
}

bool
dsn_ret(const char *text, size_t length)
{
	return is_word(text, length, "FULL") || is_word(text, length, "HDRS");
}

/* Octets that spell one printable character; 0 if none does. A line feed that
 * is decoded only behind smtpd is one nevertheless (CVE-2020-28026). */
static size_t
print_next(const char *text, size_t length)
{
	char octet;
	size_t n = xtext_next(text, length, &octet);

	return n > 0 && text_is_print(octet) ? n : 0;
}

bool
dsn_envid(const char *text, size_t length)
{
	size_t at = 0, n;

	if (length == 0 || length > DSN_ENVID_MAX)
		return false;
	while ((n = print_next(text + at, length - at)) > 0)
		at += n;
	return at == length;
}

/* EmbeddedUnicodeChar of RFC 6533 3, but for control characters and what is no
 * character: "\x{" two to six digits "}". Octets, 0 if it is none. */
static size_t
embedded(const char *text, size_t length)
{
	uint32_t point = 0;
	size_t at = 3;

	if (length < 3 || memcmp(text, "\\x{", 3) != 0)
		return 0;
	for (; at < length && at < 9 && text[at] != '}'; at++) {
		char c = text[at];
		if (!text_is_digit(c) && (c < 'A' || c > 'F'))
			return 0;
		point = point << 4 |
			(uint32_t)(text_is_digit(c) ? c - '0' : c - 'A' + 10);
	}
	if (at < 5 || at == length || text[at] != '}')
		return 0;
	if (point < 0x20 || (point >= 0x7f && point < 0xa0) ||
	    (point >= 0xd800 && point < 0xe000) || point > 0x10ffff)
		return 0;
	return at + 1;
}

/* Octets that spell one character beyond ASCII, each octet of its UTF-8 as
 * xtext: so Postfix writes an address that needs SMTPUTF8, of type rfc822. 0 if
 * there is none. */
static size_t
spelled_next(const char *text, size_t length)
{
	char octets[4];
	size_t at = 0, n;

	for (size_t used = 0; used < sizeof octets; used++, at += n) {
		n = xtext_next(text + at, length - at, &octets[used]);
		if (n == 0)
			return 0;
		if (text_utf8(octets, used + 1) == used + 1)
			return used > 0 ? at + n : 0;
	}
	return 0;
}

/* The same for an address of type utf-8. */
static size_t
utf8_next(const char *text, size_t length, bool utf8)
{
	if (length > 0 && *text == '\\')
		return embedded(text, length);
	if (length > 0 && (unsigned char)*text >= 0x80)
		return utf8 ? text_utf8(text, length) : 0;
	return print_next(text, length);
}

/* Octets of the atom (RFC 5322 3.2.3) that text begins with. */
static size_t
atom(const char *text, size_t length)
{
	size_t n = 0;

	while (n < length &&
	       (text_is_letter(text[n]) || text_is_digit(text[n]) ||
		   (text[n] && strchr("!#$%&'*+-/=?^_`{|}~", text[n]))))
		n++;
	return n;
}

bool
dsn_orcpt(const char *text, size_t length, bool utf8)
{
	size_t type = atom(text, length), at = type + 1, n;
	bool is_utf8 = is_word(text, type, "utf-8");

	if (length > DSN_ORCPT_MAX || type == 0 || type == length ||
	    text[type] != ';')
		return false;
	for (; at < length; at += n) {
		n = is_utf8 ? utf8_next(text + at, length - at, utf8)
			    : print_next(text + at, length - at);
		if (n == 0)
			n = spelled_next(text + at, length - at);
		if (n == 0)
			return false;
	}
	return true;
}

bool
dsn_auth(const char *text, size_t length, bool utf8)
{
	char decoded[DSN_AUTH_MAX];
	struct address address;
	size_t used = 0, n;

	if (length > DSN_AUTH_MAX)
		return false;
	if (is_word(text, length, "<>"))
		return true;
	for (size_t at = 0; at < length; at += n) {
		n = xtext_next(text + at, length - at, &decoded[used]);
		if (n == 0 && utf8 && (unsigned char)text[at] >= 0x80) {
			decoded[used] = text[at];
			n = 1;
		}
		if (n == 0)
			return false;
		used++;
	}
	return used > 0 &&
	       address_parse(decoded, used, utf8, &address) == used &&
	       address.domain_length > 0;
}
