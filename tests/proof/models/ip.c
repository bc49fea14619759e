/* The room ip, whose readers read all that they may read and find anything, and
 * whose addresses are of any length as text. */
#include "prove.h"

#define ip_read_v4 ip_read_v4_itself
#define ip_read_v6 ip_read_v6_itself
#define ip_format ip_format_itself
#include "ip.h"
#include <ip.c>
#undef ip_read_v4
#undef ip_read_v6
#undef ip_format

bool ip_read_v4(const char *text, size_t length, struct ip *ip);
bool ip_read_v6(const char *text, size_t length, struct ip *ip);
void ip_format(const struct ip *ip, char text[IP_TEXT_MAX]);

static bool
reads(const char *text, size_t length, struct ip *ip)
{
	if (length > 0)
		(void)(text[0] + text[length - 1]);
	if (any_bool())
		return false;
	ANYTHING(*ip);
	return true;
}

bool
ip_read_v4(const char *text, size_t length, struct ip *ip)
{
	return reads(text, length, ip);
}

bool
ip_read_v6(const char *text, size_t length, struct ip *ip)
{
	return reads(text, length, ip);
}

void
ip_format(const struct ip *ip, char text[IP_TEXT_MAX])
{
	size_t n = 1;

	(void)ip->octets[0];
	while (n < IP_TEXT_MAX - 1 && any_bool())
		n++;
	for (size_t i = 0; i < n; i++)
		text[i] = (char)any_int(1, 127);
	text[n] = '\0';
}
