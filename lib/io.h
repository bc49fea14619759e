/* Descriptors: whole writes, closing what a launcher left open; never a
 * protocol. */
#ifndef SMTPD_IO_H
#define SMTPD_IO_H

#include <stdbool.h>
#include <stddef.h>

/* Writes all of text[0..length) to a blocking descriptor; false with errno. */
bool io_write(int descriptor, const char *text, size_t length);

/* Makes sure that 0, 1 and 2 are open, on /dev/null where they were not, so
 * that no later open() takes their places. False with errno. */
bool io_occupy(void);

/* Closes every descriptor from 3 on but those in keep[0..count), which are
 * made close-on-exec. */
void io_close_others(const int *keep, size_t count);

/* Makes descriptor a copy of by, which stays open; false with errno. */
bool io_replace(int descriptor, int by);

/* True if both are open on the same socket. */
bool io_same_socket(int a, int b);

bool io_is_socket(int descriptor);
bool io_is_file(int descriptor); /* a regular one */

/* True if descriptor is a socket that connections are accepted from. */
bool io_is_listening(int descriptor);

/* Takes O_NONBLOCK off, which a launcher may have left on. */
void io_block(int descriptor);

#endif
