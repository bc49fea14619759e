/* How the client machine says things; inside the machine, whose state it
 * keeps. */
#ifndef SMTPD_ASK_H
#define SMTPD_ASK_H

#include "client.h"

/* Octets that one command may take. */
#define ASK_MAX (CLIENT_ADDRESS_MAX * 2 + 256)

/* Adds octets, or a string, to the output. There must be room. */
void ask_put(struct client *client, const char *text, size_t length);
void ask_say(struct client *client, const char *text);

/* A command is about to be put out: step is what its reply answers. In
 * client.c, as the next one. */
void client_expect(struct client *client, enum client_step step);

/* The next event is kind, with the reply that is at hand. */
void client_happens(struct client *client, enum client_kind kind);

#endif
