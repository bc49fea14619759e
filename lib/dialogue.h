/* The process that faces the network: it reads, runs the state machine, writes,
 * and tells the agent; it opens nothing, starts nothing and keeps no secret. */
#ifndef SMTPD_DIALOGUE_H
#define SMTPD_DIALOGUE_H

#include <sys/types.h>

#include "settings.h"
#include "smtp.h"

/* Why a session ended that was none: no PROXY header, or a bad one. */
#define DIALOGUE_NO_HEADER "proxy"

/* The same: there is no sandbox, and there was to be one. */
#define DIALOGUE_EXPOSED "sandbox"

struct dialogue_start {
	struct settings *settings;
	struct smtp *smtp; /* begun; the greeting has been written, unless a
			    * PROXY header is to come before it */
	char *windows;     /* SPOOL_WINDOW octets each, two */
	int channel;       /* to the agent, SOCK_SEQPACKET */
	int in, out;       /* the client */
	pid_t agent;
};

/*
 * Serves the client until the session ends; does not return. Called in a
 * process of its own, it closes what it does not need and enters the sandbox
 * before the first octet is read.
 */
_Noreturn void dialogue_run(const struct dialogue_start *start);

#endif
