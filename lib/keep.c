#include "keep.h"

#include <stdlib.h>

#include "paged.h"

#define UNIT (sizeof(max_align_t))

void *
keep(size_t size)
{
	static PAGED char room[8192];
	static size_t used;
	size_t whole = (size + UNIT - 1) / UNIT * UNIT;
	void *kept = room + used;

	if (size > sizeof room || whole > sizeof room - used)
		return calloc(1, size);
	used += whole;
	return kept;
}

void *
keep_many(size_t count, size_t size)
{
	if (count <= 64)
		return keep(count * size);
	return calloc(count, size);
}
