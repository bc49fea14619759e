/* The dialogue's end of the client's line: what comes is read to where it is to
 * stay, what is said goes out before each wait; knows when it is over. */
#ifndef SMTPD_TALK_H
#define SMTPD_TALK_H

#include <stdbool.h>
#include <stddef.h>

#include "pace.h"
#include "settings.h"
#include "smtp.h"
#include "telling.h"
#include "window.h"

/* Octets of one read of commands, and of content. */
#define TALK_COMMAND_OCTETS ((size_t)4 * 1024)
#define TALK_CONTENT_OCTETS ((size_t)64 * 1024)

/* All but what is lent, and the descriptors, is zero at the beginning. */
struct talk {
	const struct settings *settings;
	struct smtp *smtp;
	struct channel *channel;
	struct window *window;
	struct telling *telling;
	int in, out;     /* the clock runs (alarm_begin()) */
	const char *end; /* why the session ended; NULL: it goes on */
	bool gone;       /* the client is; nothing more can be said */
	bool secret;     /* a password may be in input */
	bool windowed;   /* what is no content may be in the window, too */
	long tick;       /* when it was last looked for there */
	struct pace pace;
	size_t dirty; /* octets of input that have something in them */
	char *input;  /* room for TALK_CONTENT_OCTETS */
};

/* Everything that has been said goes out: before each wait, at the end. False
 * if the client is gone. */
bool talk_flush(struct talk *talk);

/* Waits for the client: input for the machine, or the end of the session. */
void talk_listen(struct talk *talk);

/* The client is gone; the first reason stays. */
void talk_hung_up(struct talk *talk, const char *reason);

/* Ends the session, saying reply behind all that has been said. */
void talk_finish(struct talk *talk, const char *reply, const char *reason);

/* Moves what came behind the content out of the window, which the agent is
 * about to have. */
void talk_free_window(struct talk *talk);

/* Nothing of what has been said to log in stays where it was read to: where it
 * came behind the octets of a chunk that is the window, behind its content. */
void talk_forget(struct talk *talk);

#endif
