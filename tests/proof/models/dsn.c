/* The room dsn: it reads all that it is given and says anything. */
#include "dsn.h"

#include "prove.h"

bool
dsn_notify(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		(void)text[i];
	return any_bool();
}

bool
dsn_orcpt(const char *text, size_t length, bool utf8)
{
	(void)utf8;
	return dsn_notify(text, length);
}

bool
dsn_ret(const char *text, size_t length)
{
	return dsn_notify(text, length);
}

bool
dsn_envid(const char *text, size_t length)
{
	return dsn_notify(text, length);
}

bool
dsn_auth(const char *text, size_t length, bool utf8)
{
	(void)utf8;
	return dsn_notify(text, length);
}
