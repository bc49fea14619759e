/* smtpd whose dialogue can be told to run a system call: a client that sends
 * "SYSCALL n a b c" has it made with these numbers, as one would that has
 * broken in. (Linked with --wrap=smtp_input.) */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "smtp.h"

void __real_smtp_input(struct smtp *smtp, char *input, size_t length);
void __wrap_smtp_input(struct smtp *smtp, char *input, size_t length);

void
__wrap_smtp_input(struct smtp *smtp, char *input, size_t length)
{
	static const char planted[] = "SYSCALL ";
	char text[64] = "", *at = text;
	long numbers[4];

	if (length > sizeof planted && length < sizeof text &&
	    memcmp(input, planted, sizeof planted - 1) == 0) {
		memcpy(text, input + sizeof planted - 1,
		    length - sizeof planted + 1);
		for (size_t i = 0; i < 4; i++)
			numbers[i] = strtol(at, &at, 10);
		(void)syscall(
		    numbers[0], numbers[1], numbers[2], numbers[3], 0, 0, 0);
	}
	__real_smtp_input(smtp, input, length);
}
