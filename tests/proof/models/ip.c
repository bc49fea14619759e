/* The room ip, whose readers read all that they may read, and say anything. */
#include "prove.h"

#define ip_read_v4 ip_read_v4_itself
#define ip_read_v6 ip_read_v6_itself
#include "ip.h"
#include <ip.c>
#undef ip_read_v4
#undef ip_read_v6

bool ip_read_v4(const char *text, size_t length, struct ip *ip);
bool ip_read_v6(const char *text, size_t length, struct ip *ip);

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
