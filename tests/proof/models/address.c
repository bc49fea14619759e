/* The room address with parsers that read all that they may read and find
 * anything in it, or nothing. */
#include "address.h"

#include "prove.h"

#define address_parse address_parse_itself
#define path_parse path_parse_itself
#define domain_valid domain_valid_itself
#include <address.c>
#undef address_parse
#undef path_parse
#undef domain_valid

size_t address_parse(
    const char *text, size_t length, bool utf8, struct address *address);
size_t path_parse(
    const char *text, size_t length, bool utf8, struct address *address);
bool domain_valid(const char *text, size_t length, bool utf8);

bool
domain_valid(const char *text, size_t length, bool utf8)
{
	(void)utf8;
	for (size_t i = 0; i < length; i++)
		(void)text[i];
	return any_bool();
}

/* tests/proof/address.c proves that the real one leaves it so. */
size_t
path_parse(const char *text, size_t length, bool utf8, struct address *address)
{
	size_t n = 0, domain = 0;

	(void)domain_valid(text, length, utf8);
	while (n < length && any_bool())
		n++;
	while (domain < n && any_bool())
		domain++;
	*address = (struct address){
	    .text = text,
	    .length = any_bool() ? n : 0,
	    .local_length = any_size(0, n - domain),
	    .domain = text + n - domain,
	    .domain_length = domain,
	    .utf8 = any_bool(),
	};
	return n;
}

size_t
address_parse(
    const char *text, size_t length, bool utf8, struct address *address)
{
	return path_parse(text, length, utf8, address);
}
