#include "network.h"

#include <string.h>

#include "number.h"

bool
ip_parse(const char *text, struct ip *ip)
{
	size_t length = strlen(text);

	if (length > 1 && text[0] == '[' && text[length - 1] == ']') {
		text++;
		length -= 2;
	}
	return ip_read_v4(text, length, ip) || ip_read_v6(text, length, ip);
}

bool
ip_is_loopback(const struct ip *ip)
{
	static const struct ip one = {.octets = {[15] = 1}};

	if (ip_is_v4(ip))
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
	if (ip_is_v4(ip) && network->prefix < 96)
		return false;
	if (memcmp(network->ip.octets, ip->octets, whole) != 0)
		return false;
	return rest == 0 || ((network->ip.octets[whole] ^ ip->octets[whole]) >>
				(8 - rest)) == 0;
}
