/* For make bench: what two programs take that are given mail as smtpd does it.
 *
 *	runs COUNT OCTETS PROGRAM OTHER ARGUMENT
 *
 * Runs PROGRAM ARGUMENT and OTHER ARGUMENT in turn, COUNT times each, with an
 * envelope in the environment and a message of OCTETS on a pipe that holds all
 * of it (1 MiB at most). Prints for both the medians of the microseconds until
 * it has ended, of those of the processor, and of the page faults. Anything
 * but exit status 0 is exit status 1. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

enum { LINE = 78, MOST = 1 << 20, RUNS_MAX = 10000, FIGURES = 3 };

static char message[MOST], size[32] = "SMTP_SIZE=";
static int nowhere;
static double figures[2][FIGURES][RUNS_MAX];
static char *const environment[] = {
    "PATH=/usr/local/bin:/usr/bin:/bin",
    "PROTO=TCP",
    "TCPLOCALIP=127.0.0.1",
    "TCPLOCALPORT=25",
    "TCPREMOTEIP=127.0.0.1",
    "TCPREMOTEPORT=40000",
    "SMTP_PROTOCOL=ESMTP",
    "SMTP_HOSTNAME=mail.example.org",
    "SMTP_HELO=client.example.org",
    "SENDER=ann@example.org",
    "RECIPIENTS=bob@example.org",
    size,
    NULL,
};

static void
fail(const char *what)
{
	perror(what);
	exit(EXIT_FAILURE);
}

static void
make_message(size_t octets)
{
	static const char header[] = "From: <ann@example.org>\n\n";

	for (size_t i = 0; i < octets; i++)
		message[i] = i % LINE == LINE - 1 ? '\n' : (char)('A' + i % 58);
	memcpy(message, header, sizeof header - 1);
	message[octets - 1] = '\n';
}

static double
microseconds(struct timeval time)
{
	return (double)time.tv_sec * 1e6 + (double)time.tv_usec;
}

static void
run(char *program, char *argument, size_t octets, double *const found[FIGURES])
{
	char *const arguments[] = {program, argument, NULL};
	struct timespec begun, ended;
	struct rusage used;
	int ends[2], status;
	pid_t child;

	if (pipe2(ends, O_CLOEXEC) != 0 ||
	    (octets > 65536 && fcntl(ends[1], F_SETPIPE_SZ, MOST) < 0) ||
	    write(ends[1], message, octets) != (ssize_t)octets)
		fail("runs: pipe");
	(void)close(ends[1]);
	(void)clock_gettime(CLOCK_MONOTONIC, &begun);
	child = vfork();
	if (child == 0) {
		(void)dup2(ends[0], 0);
		(void)dup2(nowhere, 1);
		(void)execve(program, arguments, environment);
		_exit(127);
	}
	if (wait4(child, &status, 0, &used) != child || status != 0)
		fail(program);
	(void)clock_gettime(CLOCK_MONOTONIC, &ended);
	(void)close(ends[0]);
	*found[0] = (double)(ended.tv_sec - begun.tv_sec) * 1e6 +
		    (double)(ended.tv_nsec - begun.tv_nsec) / 1e3;
	*found[1] = microseconds(used.ru_utime) + microseconds(used.ru_stime);
	*found[2] = (double)used.ru_minflt;
}

static int
compare(const void *a, const void *b)
{
	double one = *(const double *)a, other = *(const double *)b;

	return (one > other) - (one < other);
}

int
main(int argc, char **argv)
{
	int count = argc == 6 ? atoi(argv[1]) : 0;
	size_t octets = argc == 6 ? strtoul(argv[2], NULL, 10) : 0;

	if (count < 1 || count > RUNS_MAX || octets < 64 || octets > MOST)
		return EX_USAGE;
	nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
	make_message(octets);
	(void)sprintf(size + strlen(size), "%zu", octets);
	for (int i = 0; i < count; i++)
		for (int which = 0; which < 2; which++)
			run(argv[3 + which], argv[5], octets,
			    (double *const[]){&figures[which][0][i],
				&figures[which][1][i], &figures[which][2][i]});
	for (int which = 0; which < 2; which++)
		for (int i = 0; i < FIGURES; i++) {
			double *values = figures[which][i];

			qsort(values, (size_t)count, sizeof *values, compare);
			(void)printf("%.1f%c", values[count / 2],
			    i < FIGURES - 1 ? ' ' : '\n');
		}
	return fflush(stdout) == 0 ? 0 : EXIT_FAILURE;
}
