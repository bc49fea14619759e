#include "paged.h"

#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

void
paged_release(void *memory, size_t octets)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE); /* it has one */

	/* madvise() would take what shares the last page, too. */
	if ((uintptr_t)memory % page == 0 && octets % page == 0)
		(void)madvise(memory, octets, MADV_DONTNEED);
}
