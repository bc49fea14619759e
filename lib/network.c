#include "network.h"

#include <arpa/inet.h>
#include <string.h>

#include "number.h"

static const unsigned char mapped[12] = {
    [10] = 0xff,
    [11] = 0xff,
};

static bool
is_mapped(const struct ip *ip)
{
	return memcmp(ip->octets, mapped, sizeof mapped) == 0;
}

bool
ip_parse(const char *text, struct ip *ip)
{
	char inside[NETWORK_TEXT_MAX];
	size_t length = strlen(text);

	if (length > 1 && text[0] == '[' && text[length - 1] == ']') {
		text++;
		length -= 2;
	}
	if (length >= sizeof inside)
		return false;
	memcpy(inside, text, length);
	inside[length] = '\0';
	memcpy(ip->octets, mapped, sizeof mapped);
	return inet_pton(AF_INET, inside, ip->octets + 12) == 1 ||
	       inet_pton(AF_INET6, inside, ip->octets) == 1;
}

void
ip_format(const struct ip *ip, char text[NETWORK_TEXT_MAX])
{
	const char *done =
	    is_mapped(ip)
		? inet_ntop(AF_INET, ip->octets + 12, text, NETWORK_TEXT_MAX)
		: inet_ntop(AF_INET6, ip->octets, text, NETWORK_TEXT_MAX);

	if (!done)
		text[0] = '\0';
}

bool
ip_is_loopback(const struct ip *ip)
{
	static const struct ip one = {.octets = {[15] = 1}};

	if (is_mapped(ip))
		return ip->octets[12] == 127;
	return memcmp(ip, &one, sizeof one) == 0;
}

bool
network_parse(const char *text, struct network *network)
{
	const char *slash = strchr(text, '/');
	size_t length = slash ? (size_t)(slash - text) : strlen(text);
	char address[NETWORK_TEXT_MAX + 2];
	uint64_t bits;
	unsigned width;

	if (length >= sizeof address)
		return false;
	memcpy(address, text, length);
	address[length] = '\0';
	if (!ip_parse(address, &network->ip))
		return false;
	/* ::ffff:1.2.3.4/120 is counted in bits of IPv6, 1.2.3.4/24 is not. */
	width = strchr(address, ':') ? 128 : 32;
	bits = width;
	if (slash && !number_parse(slash + 1, strlen(slash + 1), width, &bits))
		return false;
	network->prefix = 128 - width + (unsigned)bits;
	return true;
}

bool
network_has(const struct network *network, const struct ip *ip)
{
	unsigned whole = network->prefix / 8, rest = network->prefix % 8;

	/* IPv4 is no part of ::/64, as its mapped form would have it. */
	if (is_mapped(ip) && network->prefix < 96)
		return false;
	if (memcmp(network->ip.octets, ip->octets, whole) != 0)
		return false;
	return rest == 0 || ((network->ip.octets[whole] ^ ip->octets[whole]) >>
				(8 - rest)) == 0;
}
