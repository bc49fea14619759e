/* Rooms: ip
 * Eva: -eva-slevel-function ip_format:0,longest_gap:0,put_group:0
 * Eva: -eva-min-loop-unroll 9
 * With: number text utf8
 * Texts up to LENGTH octets, and of as many as eight groups have; any address.
 */
#include "ip.h"

#include "prove.h"

enum { LENGTH = 7, FULL = 15 };

void
prove(void)
{
	struct ip ip;
	char text[IP_TEXT_MAX];

	//@ loop unroll 99;
	for (size_t length = 0; length <= LENGTH; length++) {
		const char *read = octets(length);
		(void)ip_read_v4(read, length, &ip);
		(void)ip_read_v6(read, length, &ip);
	}
	(void)ip_read_v6(octets(FULL), FULL, &ip);
	ANYTHING(ip);
	(void)ip_is_v4(&ip);
	ip_format(&ip, text);
}
