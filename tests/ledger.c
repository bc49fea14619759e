/* A delivery command for tests/load.py and tests/soak: ledger FILE. It appends
 * a line for the message to FILE, and that is on the disk before it exits 0:
 *
 *	RECIPIENT OCTETS CRC32 PID SESSION
 *
 * The first three are its reply, too. What the local part begins with, up to a
 * hyphen, is its mood: one of the table below, or none. A message that is not
 * as long as SMTP_SIZE says is not recorded. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <unistd.h>

static struct {
	const char *file, *recipient;
	uint64_t octets;
	uint32_t crc;
} self = {.crc = 0xffffffff};

/* The one of zlib. */
static void
sum(const unsigned char *text, size_t length)
{
	static uint32_t table[256];

	for (uint32_t i = 0; table[255] == 0; i++) {
		table[i] = i;
		for (int bit = 0; bit < 8; bit++)
			table[i] =
			    table[i] >> 1 ^ (table[i] & 1 ? 0xedb88320 : 0);
	}
	for (size_t i = 0; i < length; i++)
		self.crc = self.crc >> 8 ^ table[(self.crc ^ text[i]) & 0xff];
	self.octets += length;
}

/* Reads the message, after so many microseconds before each step. */
static void
take_message(unsigned pause)
{
	static unsigned char octets[65536];
	const char *size = getenv("SMTP_SIZE");
	ssize_t n;

	do {
		if (pause > 0)
			(void)usleep(pause);
		n = read(0, octets, sizeof octets);
		if (n > 0)
			sum(octets, (size_t)n);
	} while (n > 0 || (n < 0 && errno == EINTR));
	if (n < 0 || !size || strtoull(size, NULL, 10) != self.octets)
		exit(EX_TEMPFAIL);
}

static void
record(void)
{
	char line[1024];
	int length = snprintf(line, sizeof line, "%s %llu %08x %ld %s\n",
	    self.recipient, (unsigned long long)self.octets, ~self.crc,
	    (long)getpid(), getenv("SMTP_SESSION"));
	int file = open(self.file, O_WRONLY | O_APPEND | O_CREAT, 0666);

	if (file < 0 || length < 0 || (size_t)length >= sizeof line ||
	    write(file, line, (size_t)length) != length || fdatasync(file) != 0)
		exit(EX_TEMPFAIL);
}

/* Records it, and words the reply. */
static void
take(void)
{
	take_message(0);
	record();
	printf("250 2.0.0 %s %llu %08x\n", self.recipient,
	    (unsigned long long)self.octets, ~self.crc);
	exit(fflush(stdout) == 0 ? EX_OK : EX_TEMPFAIL);
}

static void
soft(void)
{
	take_message(0);
	exit(EX_TEMPFAIL);
}

static void
hard(void)
{
	take_message(0);
	exit(EX_NOUSER);
}

static void
crash(void)
{
	(void)setrlimit(RLIMIT_CORE, &(struct rlimit){0});
	take_message(0);
	(void)raise(SIGSEGV);
}

/* Until it is killed. Where nobody is left to do that, it is recorded. */
static void
hang(void)
{
	(void)sleep(8);
	record();
	exit(EX_OK);
}

/* More output than anyone wants, of both kinds. */
static void
flood(void)
{
	char line[101];

	memset(line, 'x', sizeof line - 1);
	line[sizeof line - 1] = '\0';
	take_message(0);
	for (int i = 0; i < 20000; i++)
		(void)puts(line);
	for (int i = 0; i < 20; i++)
		(void)fprintf(stderr, "flood %d\n", i);
	record();
	exit(fflush(stdout) == 0 ? EX_OK : EX_TEMPFAIL);
}

static void
deaf(void)
{
	record();
	exit(EX_OK);
}

/* Leaves a process behind that holds all descriptors. */
static void
orphan(void)
{
	if (fork() == 0) {
		(void)sleep(2);
		_exit(0);
	}
	take();
}

static void
slow(void)
{
	take_message(100 * 1000);
	record();
	exit(EX_OK);
}

/* A reply that says more than the status. */
static void
lie(void)
{
	take_message(0);
	(void)puts("250 2.0.0 Of course");
	(void)fflush(stdout);
	_exit(EX_TEMPFAIL);
}

static const struct {
	const char *mood;
	void (*act)(void);
} moods[] = {
    {"soft", soft},
    {"hard", hard},
    {"crash", crash},
    {"hang", hang},
    {"flood", flood},
    {"deaf", deaf},
    {"orphan", orphan},
    {"slow", slow},
    {"lie", lie},
};

int
main(int argc, char **argv)
{
	self.recipient = getenv("RECIPIENT");
	if (argc != 2 || !self.recipient || !getenv("SMTP_SESSION"))
		return EX_USAGE;
	self.file = argv[1];
	for (size_t i = 0; i < sizeof moods / sizeof *moods; i++) {
		size_t length = strlen(moods[i].mood);

		if (strncmp(self.recipient, moods[i].mood, length) == 0 &&
		    self.recipient[length] == '-')
			moods[i].act();
	}
	take();
}
