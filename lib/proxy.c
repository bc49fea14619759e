#include "proxy.h"

#include <stdint.h>
#include <string.h>

#include "number.h"
#include "text.h"

static const char text_begin[] = "PROXY ";
enum { TEXT_BEGIN = sizeof text_begin - 1 };

static const char signature[12] = "\r\n\r\n\0\r\nQUIT\n";

/* What the 14th octet of version 2 may say of a stream. */
static const struct protocol {
	unsigned char octet;
	enum proxy_family family;
	size_t address; /* octets of one */
	size_t port;
} protocols[] = {
    {0x00, PROXY_UNKNOWN, 0, 0},
    {0x11, PROXY_TCP, 4, 2},
    {0x21, PROXY_TCP, 16, 2},
    {0x31, PROXY_UNIX, 108, 0},
};

/* A piece of the header: a word or a vector, lent. */
struct piece {
	const char *text;
	size_t length;
};

static bool
is_word(const struct piece *piece, const char *word)
{
	return piece->length == strlen(word) &&
	       memcmp(piece->text, word, piece->length) == 0;
}

/* Takes what comes before the next space, and the space; false if there is no
 * space. */
static bool
next_word(struct piece *rest, struct piece *word)
{
	const char *space = memchr(rest->text, ' ', rest->length);

	if (!space)
		return false;
	*word = (struct piece){rest->text, (size_t)(space - rest->text)};
	rest->text += word->length + 1;
	rest->length -= word->length + 1;
	return true;
}

static bool
read_port(const struct piece *word, unsigned *port)
{
	uint64_t value;

	if ((word->length > 1 && word->text[0] == '0') ||
	    !number_parse(word->text, word->length, 65535, &value))
		return false;
	*port = (unsigned)value;
	return true;
}

/* The line behind "PROXY ", without its CRLF. */
static bool
read_text(struct proxy *proxy, struct piece rest)
{
	bool (*reads)(const char *text, size_t length, struct ip *ip);
	struct piece protocol, source, destination, port;

	if (is_word(&rest, "UNKNOWN"))
		return true;
	if (!next_word(&rest, &protocol))
		return false;
	if (is_word(&protocol, "UNKNOWN"))
		return true;
	if (is_word(&protocol, "TCP4"))
		reads = ip_read_v4;
	else if (is_word(&protocol, "TCP6"))
		reads = ip_read_v6;
	else
		return false;
	proxy->family = PROXY_TCP;
	return next_word(&rest, &source) && next_word(&rest, &destination) &&
	       next_word(&rest, &port) &&
	       reads(source.text, source.length, &proxy->source) &&
	       reads(
		   destination.text, destination.length, &proxy->destination) &&
	       read_port(&port, &proxy->source_port) &&
	       read_port(&rest, &proxy->destination_port);
}

static unsigned
octet_at(const char *text, size_t at)
{
	return (unsigned char)text[at];
}

static unsigned
number16(const char *text)
{
	return octet_at(text, 0) << 8 | octet_at(text, 1);
}

/* CRC32C (RFC 4960 appendix B) of the header with four zeros at field. */
static uint32_t
checksum(const struct proxy *proxy, const char *field)
{
	uint32_t sum = 0xffffffff;

	for (size_t i = 0; i < proxy->length; i++) {
		const char *octet = proxy->octets + i;
		bool zero = octet >= field && octet < field + 4;

		sum ^= zero ? 0 : (unsigned char)*octet;
		for (int bit = 0; bit < 8; bit++)
			sum = sum >> 1 ^ (sum & 1 ? 0x82f63b78 : 0);
	}
	return ~sum;
}

/* PP2_TYPE_CRC32C */
static bool
check_sum(struct proxy *proxy, const struct piece *value)
{
	return value->length == 4 &&
	       checksum(proxy, value->text) ==
		   ((uint32_t)number16(value->text) << 16 |
		       number16(value->text + 2));
}

static bool
copy_name(char out[PROXY_TLS_MAX + 1], const struct piece *value)
{
	if (value->length > PROXY_TLS_MAX)
		return false;
	for (size_t i = 0; i < value->length; i++)
		if (!text_is_print(value->text[i]) || value->text[i] == ' ')
			return false;
	memcpy(out, value->text, value->length);
	out[value->length] = '\0';
	return true;
}

/* PP2_SUBTYPE_SSL_VERSION */
static bool
read_version(struct proxy *proxy, const struct piece *value)
{
	return copy_name(proxy->tls_version, value);
}

/* PP2_SUBTYPE_SSL_CIPHER */
static bool
read_cipher(struct proxy *proxy, const struct piece *value)
{
	return copy_name(proxy->tls_cipher, value);
}

static bool read_tls(struct proxy *proxy, const struct piece *value);

/* Vectors that mean something here, and where. */
static const struct vector {
	unsigned type;
	bool inside; /* of PP2_TYPE_SSL */
	bool (*read)(struct proxy *proxy, const struct piece *value);
} vectors[] = {
    {0x03, false, check_sum},
    {0x20, false, read_tls},
    {0x21, true, read_version},
    {0x23, true, read_cipher},
};

/* Type, length and value, one after the other, to the end. */
static bool
read_vectors(struct proxy *proxy, struct piece rest, bool inside)
{
	while (rest.length > 0) {
		struct piece value;
		unsigned type;

		if (rest.length < 3)
			return false;
		type = octet_at(rest.text, 0);
		value = (struct piece){rest.text + 3, number16(rest.text + 1)};
		if (value.length > rest.length - 3)
			return false;
		for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++)
			if (vectors[i].type == type &&
			    vectors[i].inside == inside &&
			    !vectors[i].read(proxy, &value))
				return false;
		rest.text = value.text + value.length;
		rest.length -= 3 + value.length;
	}
	return true;
}

/* PP2_TYPE_SSL: PP2_CLIENT_SSL is bit 0 of the first octet; four octets on the
 * client's certificate follow, and then vectors. */
static bool
read_tls(struct proxy *proxy, const struct piece *value)
{
	if (value->length < 5)
		return false;
	proxy->tls = octet_at(value->text, 0) & 1;
	return read_vectors(
	    proxy, (struct piece){value->text + 5, value->length - 5}, true);
}

/* One address in network order. */
static void
copy_ip(struct ip *ip, const char *octets, size_t length)
{
	*ip = (struct ip){.octets = {[10] = 0xff, [11] = 0xff}};
	memcpy(ip->octets + sizeof ip->octets - length, octets, length);
}

/* What follows the first 16 octets. */
static bool
read_binary(struct proxy *proxy, struct piece rest)
{
	const struct protocol *protocol = protocols;
	const char *ports;
	size_t need;

	proxy->local = octet_at(proxy->octets, 12) == 0x20;
	if (proxy->local)
		return true;
	while (protocol->octet != octet_at(proxy->octets, 13))
		if (++protocol ==
		    protocols + sizeof protocols / sizeof *protocols)
			return false;
	need = 2 * protocol->address + 2 * protocol->port;
	if (rest.length < need)
		return false;
	proxy->family = protocol->family;
	if (protocol->family == PROXY_TCP) {
		copy_ip(&proxy->source, rest.text, protocol->address);
		copy_ip(&proxy->destination, rest.text + protocol->address,
		    protocol->address);
		ports = rest.text + 2 * protocol->address;
		proxy->source_port = number16(ports);
		proxy->destination_port = number16(ports + 2);
	}
	return read_vectors(
	    proxy, (struct piece){rest.text + need, rest.length - need}, false);
}

static enum proxy_step
done(bool good)
{
	return good ? PROXY_DONE : PROXY_BAD;
}

static enum proxy_step
step_text(struct proxy *proxy)
{
	size_t length = proxy->length;
	char last = proxy->octets[length - 1];
	bool cr = proxy->octets[length - 2] == '\r';

	if ((last == '\n') != cr)
		return PROXY_BAD;
	if (cr)
		return done(
		    read_text(proxy, (struct piece){proxy->octets + TEXT_BEGIN,
					 length - TEXT_BEGIN - 2}));
	return length < PROXY_TEXT_MAX ? PROXY_MORE : PROXY_BAD;
}

static enum proxy_step
step_binary(struct proxy *proxy)
{
	unsigned command, follow;

	if (proxy->length < PROXY_BINARY_HEAD)
		return PROXY_MORE;
	command = octet_at(proxy->octets, 12);
	follow = number16(proxy->octets + 14);
	if ((command != 0x20 && command != 0x21) || follow > PROXY_BINARY_MAX)
		return PROXY_BAD;
	if (proxy->length < PROXY_BINARY_HEAD + follow)
		return PROXY_MORE;
	return done(read_binary(
	    proxy, (struct piece){proxy->octets + PROXY_BINARY_HEAD, follow}));
}

/* The first n of the header's octets are the first of begin's. */
static bool
begins(const struct proxy *proxy, const char *begin, size_t n)
{
	return memcmp(proxy->octets, begin,
		   proxy->length < n ? proxy->length : n) == 0;
}

enum proxy_step
proxy_take(struct proxy *proxy, const char *octets, size_t length, size_t *used)
{
	size_t n = 0;

	while (proxy->step == PROXY_MORE && n < length) {
		proxy->octets[proxy->length++] = octets[n++];
		if (begins(proxy, signature, sizeof signature))
			proxy->step = step_binary(proxy);
		else if (!begins(proxy, text_begin, TEXT_BEGIN))
			proxy->step = PROXY_BAD;
		else if (proxy->length > TEXT_BEGIN)
			proxy->step = step_text(proxy);
	}
	*used = n;
	return proxy->step;
}
