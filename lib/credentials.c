#include "credentials.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "text.h"

/* Reads text to its end; -1 with errno, size where there is more. */
static ssize_t
read_whole(int file, char *text, size_t size)
{
	size_t length = 0;

	while (length < size) {
		ssize_t n = read(file, text + length, size - length);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		length += (size_t)n;
	}
	return (ssize_t)length;
}

static const char *
split(struct credentials *credentials, const char *line, size_t length)
{
	const char *colon;
	size_t user;

	if (length > 0 && line[length - 1] == '\n')
		length--;
	if (text_has_control(line, length))
		return "more than one line, or a control character";
	colon = memchr(line, ':', length);
	if (!colon || colon == line)
		return "not user:password";
	user = (size_t)(colon - line);
	length -= user + 1;
	if (user > CLIENT_CREDENTIAL_MAX || length > CLIENT_CREDENTIAL_MAX)
		return "user or password too long";
	memcpy(credentials->user, line, user);
	credentials->user[user] = '\0';
	memcpy(credentials->password, colon + 1, length);
	credentials->password[length] = '\0';
	return NULL;
}

const char *
credentials_read(struct credentials *credentials, const char *file)
{
	char line[2 * CLIENT_CREDENTIAL_MAX + 3];
	const char *why = NULL;
	ssize_t length = 0;
	struct stat about;
	/* Without waiting for the writer of a FIFO. */
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0)
		return strerror(errno);
	if (fstat(fd, &about) != 0)
		why = strerror(errno);
	else if (!S_ISREG(about.st_mode))
		why = "not a regular file";
	else if (about.st_mode & (S_IRWXG | S_IRWXO))
		why = "group or others have access to it (chmod 600)";
	else if ((length = read_whole(fd, line, sizeof line)) < 0)
		why = strerror(errno);
	(void)close(fd); /* nothing was written */
	return why ? why : split(credentials, line, (size_t)length);
}
