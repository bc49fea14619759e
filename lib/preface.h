/* What stands before a session: the PROXY header, read by the dialogue as far
 * as it goes and no further than its time; does not ask who may send it. */
#ifndef SMTPD_PREFACE_H
#define SMTPD_PREFACE_H

#include <stddef.h>

#include "proxy.h"
#include "record.h"

enum preface_end {
	PREFACE_DONE,
	PREFACE_NONE, /* nothing came, and nothing will: a health check */
	PREFACE_BAD,
	PREFACE_LATE,   /* not all of it has come in time */
	PREFACE_STOPPED /* the process was told to stop */
};

/* Octets of an address, a port, both once more, spelt for RECORD_PROXY. */
#define PREFACE_TEXT_MAX 192

/*
 * Reads the header from a descriptor where the clock runs (alarm_begin()) into
 * input[0..size). At PREFACE_DONE what the client itself sent behind it is
 * *rest, *length octets of input.
 */
enum preface_end preface_read(int descriptor, struct proxy *proxy, char *input,
    size_t size, char **rest, size_t *length);

/* What the agent is told of a header that is done; record lends text and tls
 * until it is sent. */
void preface_record(const struct proxy *proxy, struct record *record,
    char text[PREFACE_TEXT_MAX], char tls[2 * PROXY_TLS_MAX + 2]);

#endif
