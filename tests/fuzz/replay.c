/* Runs a fuzz target on files, and on all files of directories, without a
 * fuzzer: built by any compiler.
 *
 *	TARGET [PATH ...]
 *
 * Ends with "N inputs", or as the target does, and then it has named the file
 * on standard error. */
#include <dirent.h>
#include <sys/stat.h>

#include "fuzz.h"

static unsigned inputs;
static const char *current;

/* Before abort(3) and the sanitizers end it. */
__attribute__((destructor)) static void
tell(void)
{
	if (current)
		(void)fprintf(stderr, "input: %s\n", current);
}

static void
replay_file(const char *path)
{
	static uint8_t octets[1 << 20];
	FILE *file = fopen(path, "rb");
	size_t length;
	uint8_t *copy;

	if (!file) {
		perror(path);
		exit(66);
	}
	length = fread(octets, 1, sizeof octets, file);
	(void)fclose(file); /* it was only read */
	copy = malloc(length + (length == 0));
	if (!copy)
		abort();
	memcpy(copy, octets, length);
	current = path;
	(void)LLVMFuzzerTestOneInput(copy, length);
	current = NULL;
	free(copy);
	inputs++;
}

static void
replay(const char *path)
{
	char name[4096];
	struct dirent *entry;
	DIR *directory = opendir(path);

	if (!directory) {
		replay_file(path);
		return;
	}
	while ((entry = readdir(directory))) {
		if (entry->d_name[0] == '.')
			continue;
		(void)snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
		replay(name);
	}
	(void)closedir(directory); /* it was only read */
}

int
main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		replay(argv[i]);
	printf("%u inputs\n", inputs);
	return 0;
}
