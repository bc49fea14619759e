/* The cheapest command there is: reads a message to its end and exits 0. It has
 * no C library, whose start would cost more than all the rest. With QUEUE it
 * is in place of qmail-queue, and reads the envelope on descriptor 1, too. */
#include <asm/unistd.h>

#ifndef __x86_64__
#error "system calls are made as x86-64 has them"
#endif

void _start(void);

static char octets[1 << 20];

static long
call(long number, long file, void *room, long size)
{
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(file), "S"(room), "d"(size)
			 : "rcx", "r11", "memory");
	return result;
}

static long
read_all(int file)
{
	long n;

	do
		n = call(__NR_read, file, octets, sizeof octets);
	while (n > 0);
	return n;
}

void
_start(void)
{
	long n = read_all(0);

#ifdef QUEUE
	if (n == 0)
		n = read_all(1);
#endif
	(void)call(__NR_exit, n != 0, octets, 0);
	__builtin_unreachable();
}
