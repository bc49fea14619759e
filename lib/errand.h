/* What the dialogue does about a command and a message: it tells the agent,
 * waits for what that says where it must, and answers the machine. Who the
 * client is, is identity's. */
#ifndef SMTPD_ERRAND_H
#define SMTPD_ERRAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "channel.h"
#include "hearing.h"
#include "policy.h"
#include "record.h"
#include "settings.h"
#include "smtp.h"
#include "talk.h"
#include "telling.h"
#include "window.h"

/* Strict seccomp allows no memory to be had later, so all of it is here. */
struct errand {
	struct settings *settings; /* a copy, since the fork */
	struct policy policy;      /* of this client, as far as it has come */
	uint64_t content;          /* octets of the message so far */
	size_t recipients; /* octets of RECIPIENTS, with a newline behind */
	size_t options;    /* the same of SMTP_RCPT_OPTIONS */
	bool transacting;  /* the agent has a transaction */
	struct channel channel;
	struct window window;
	struct hearing hearing;
	struct telling telling;
	struct talk talk;
};

/* Adds a record to those that wait to be sent; it is copied. */
void errand_tell(struct errand *errand, const struct record *record);

/* Nothing of a transaction is there. */
void errand_begin(struct errand *errand);

/* Before each event: the machine ends a transaction whose BDAT is refused, and
 * no command says so. (Of a message that is dropped the agent is told.) */
void errand_notice(struct errand *errand, const struct smtp_event *event);

/* Waits for the agent's reply, with everything said that is to be said. Its
 * type is 0 where there is none: the client or the agent is gone. It lends its
 * octets until the next wait. */
struct record errand_wait(struct errand *errand);

/* Tells the agent of a step; where there is a hook for it, waits for what it
 * says, and answers with that. False if the step is refused. */
bool errand_step(struct errand *errand, const struct smtp_event *event,
    const struct record *record);

/* Each is for the events of its name. */
void errand_content(struct errand *errand, const struct smtp_event *event);
void errand_message(struct errand *errand, const struct smtp_event *event);
void errand_verdict(struct errand *errand, const struct smtp_event *event);
void errand_dropped(struct errand *errand, const struct smtp_event *event);
void errand_hello(struct errand *errand, const struct smtp_event *event);
void errand_path(struct errand *errand, const struct smtp_event *event);
void errand_reset(struct errand *errand, const struct smtp_event *event);
void errand_quit(struct errand *errand, const struct smtp_event *event);
void errand_command(struct errand *errand, const struct smtp_event *event);

#endif
