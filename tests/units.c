/* Checks the rooms of lib/ function by function. The last line printed is
 * "units: N checks, M failed". */
#include "units.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned long checks, failed;

void
check(bool good, const char *what, const char *file, int line)
{
	checks++;
	if (good)
		return;
	failed++;
	printf("%s:%d: %s\n", file, line, what);
}

void
check_at(bool good, const char *what, const char *file, int line, size_t at)
{
	checks++;
	if (good)
		return;
	failed++;
	printf("%s:%d: at %zu: %s\n", file, line, at, what);
}

char *
exactly(const char *text, size_t length)
{
	char *copy = malloc(length);

	if (!copy && length > 0)
		abort();
	if (length > 0)
		memcpy(copy, text, length);
	return copy;
}

unsigned
chance(unsigned below)
{
	static uint64_t state = 1;

	/* Knuth's MMIX constants; the upper bits are the random ones. */
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(state >> 33) % below;
}

int
main(void)
{
	units_text();
	units_action();
	units_address();
	units_client();
	units_content();
	units_data();
	units_dsn();
	units_hooktext();
	units_hops();
	units_pace();
	units_paged();
	units_ip();
	units_line();
	units_lists();
	units_param();
	units_pattern();
	units_proxy();
	units_record();
	units_reply();
	units_sasl();
	units_variables();
	units_verdict();
	units_xclient();
	printf("units: %lu checks, %lu failed\n", checks, failed);
	return failed > 0;
}
