/* Whether a client that sends message data is fast enough. Pure. */
#ifndef SMTPD_PACE_H
#define SMTPD_PACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Milliseconds that its speed is averaged over. */
#define PACE_MINUTE 60000

/* = {0} at the beginning of each message. */
struct pace {
	uint64_t octets; /* since the last time it was judged */
	long waited;     /* milliseconds, the same */
};

/*
 * Notes that waiting so many milliseconds brought so many octets. False if the
 * last minute of waiting brought fewer than rate a second; what is done
 * meanwhile is no waiting, and does not count. rate is at most 2^32; 0: any.
 */
bool pace_keep(struct pace *pace, uint64_t rate, size_t octets, long waited);

#endif
