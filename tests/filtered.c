/* Runs a program where a seccomp filter is in force, as a container does.
 *
 *	filtered allow|deny COMMAND [ARGUMENT ...]
 *
 * allow: one that forbids nothing, but strict seccomp is refused; deny: one
 *that forbids seccomp in whatever form, too. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

struct instruction {
	uint16_t code;
	uint8_t on_true, on_false;
	uint32_t value;
};

#define LOAD(at) \
	{ \
		0x20, 0, 0, at \
	}
#define EQUALS(value, on_true, on_false) \
	{ \
		0x15, on_true, on_false, value \
	}
#define RETURN(value) \
	{ \
		0x06, 0, 0, value \
	}
#define ALLOW RETURN(0x7fff0000u)
#define FAIL RETURN(0x00050000u | EPERM)

int
main(int argc, char **argv)
{
	static const struct instruction allow[] = {ALLOW};
	static const struct instruction deny[] = {
	    LOAD(0),
	    EQUALS(SYS_seccomp, 4, 0),
	    EQUALS(SYS_prctl, 0, 2),
	    LOAD(16), /* its first argument, the lower half */
	    EQUALS(PR_SET_SECCOMP, 1, 0),
	    ALLOW,
	    FAIL,
	};
	struct {
		unsigned short length;
		const struct instruction *code;
	} program = {sizeof allow / sizeof *allow, allow};

	if (argc < 3)
		return 64;
	if (strcmp(argv[1], "deny") == 0) {
		program.length = sizeof deny / sizeof *deny;
		program.code = deny;
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    prctl(PR_SET_SECCOMP, 2, &program, 0, 0) != 0) {
		perror("filtered: seccomp");
		return 71;
	}
	execvp(argv[2], argv + 2);
	perror(argv[2]);
	return 127;
}
