#include "sandbox.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif

/* The sanitizers' reports, and what else makes UNCONFINED, need more than read
 * and write. */
#if defined SANITIZE || defined UNCONFINED
static const bool confines = false;
#else
static const bool confines = true;
#endif

/* What the process is never to use; the address space is what it has. */
static void
give_up_resources(bool writes_file)
{
	static const struct rlimit none;

	/* Less can be had always. */
	(void)setrlimit(RLIMIT_CORE, &none);
	(void)setrlimit(RLIMIT_NOFILE, &none);
#ifdef RLIMIT_NPROC
	(void)setrlimit(RLIMIT_NPROC, &none);
#endif
#ifdef RLIMIT_AS
	(void)setrlimit(RLIMIT_AS, &none);
#endif
	if (!writes_file)
		(void)setrlimit(RLIMIT_FSIZE, &none);
}

/*
 * The filter: four system calls of one architecture. Of linux/filter.h,
 * linux/seccomp.h and linux/audit.h, which not every C library brings along:
 * what is 64 bits wide and little-endian, by its ELF number.
 */
#if defined __linux__ && defined __x86_64__ && !defined __ILP32__
#define ARCHITECTURE (0xC0000000u | 62)
#elif defined __linux__ && defined __aarch64__ && defined __AARCH64EL__
#define ARCHITECTURE (0xC0000000u | 183)
#endif

#ifdef ARCHITECTURE
#define NUMBER_AT 0
#define ARCHITECTURE_AT 4
#define KILL_PROCESS 0x80000000u
#define ALLOW 0x7fff0000u
#define FILTER 2

struct instruction {
	uint16_t code;
	uint8_t on_true, on_false;
	uint32_t value;
};

struct program {
	unsigned short length;
	const struct instruction *code;
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

static bool
enter_filter(void)
{
	static const struct instruction code[] = {
	    LOAD(ARCHITECTURE_AT),
	    EQUALS(ARCHITECTURE, 0, 5), /* to the end, as below */
	    LOAD(NUMBER_AT),
	    EQUALS(SYS_read, 4, 0),
	    EQUALS(SYS_write, 3, 0),
	    EQUALS(SYS_rt_sigreturn, 2, 0),
	    EQUALS(SYS_exit, 1, 0),
	    RETURN(KILL_PROCESS),
	    RETURN(ALLOW),
	};
	const struct program program = {
	    .length = sizeof code / sizeof *code,
	    .code = code,
	};

	return prctl(PR_SET_SECCOMP, FILTER, &program, 0, 0) == 0;
}
#else
static bool
enter_filter(void)
{
	return false;
}
#endif

#define STRICT 1

static bool
confine(bool writes_file)
{
	if (!confines)
		return true;
	give_up_resources(writes_file);
#if defined __linux__
	/* Strict is refused where there is a filter. */
	return prctl(PR_SET_SECCOMP, STRICT, 0, 0, 0) == 0 || enter_filter();
#elif defined __OpenBSD__
	return pledge("stdio", NULL) == 0;
#else
	errno = ENOSYS;
	return enter_filter();
#endif
}

bool
sandbox_enter(pid_t parent, bool writes_file)
{
#ifdef __linux__
	sandbox_renounce();
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (getppid() != parent)
		sandbox_exit(0); /* it died before that took hold */
#endif
	return confine(writes_file);
}

bool
sandbox_offered(void)
{
	pid_t self = getpid(), pid = fork();
	int status = 0;

	if (pid == 0)
		sandbox_exit(sandbox_enter(self, false) ? 0 : errno);
	if (pid < 0)
		return false;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	errno = WIFEXITED(status) ? WEXITSTATUS(status) : ENOSYS;
	return errno == 0;
}

void
sandbox_renounce(void)
{
#ifdef __linux__
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); /* since Linux 3.5 */
#endif
}

#ifdef COVERAGE
void __gcov_dump(void);
#endif

_Noreturn void
sandbox_exit(int status)
{
#ifdef COVERAGE
	__gcov_dump();
#endif
	for (;;)
#ifdef __linux__
		(void)syscall(SYS_exit, status); /* it does not return */
#else
		_exit(status);
#endif
}
