/* Units of memory that is given back. */
#include "paged.h"

#include <string.h>

#include "units.h"

enum { SIZE = 16 * PAGED_OCTETS };

/* What was given back: all zeros, or all as it was; what was not, as it was. */
static void
released(char *memory, size_t from, size_t octets)
{
	size_t zeros = 0, kept = 0;

	memset(memory, 1, SIZE);
	paged_release(memory + from, octets);
	for (size_t i = 0; i < SIZE; i++)
		if (i >= from && i < from + octets && !memory[i])
			zeros++;
		else
			kept += memory[i] == 1;
	CHECK_AT(zeros == 0 || zeros == octets, octets);
	CHECK_AT(zeros + kept == SIZE, octets);
}

void
units_paged(void)
{
	static PAGED char memory[SIZE];

	for (size_t from = 0; from < SIZE; from += PAGED_OCTETS)
		for (size_t n = 0; from + n <= SIZE; n += PAGED_OCTETS)
			released(memory, from, n);
	/* Such as are no whole pages. */
	for (size_t n = 1; n < PAGED_OCTETS; n *= 3) {
		released(memory, 0, n);
		released(memory, 0, PAGED_OCTETS + n);
		released(memory, n, PAGED_OCTETS);
	}
}
