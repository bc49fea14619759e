/* What the dialogue does about who the client is: PROXY, XCLIENT, TLS, logins;
 * what he may do then is as the agent says. */
#ifndef SMTPD_IDENTITY_H
#define SMTPD_IDENTITY_H

#include "errand.h"
#include "smtp.h"

/* The PROXY header, before the session begins; what is behind it is the
 * client's. */
void identity_header(struct errand *errand);

/* To be greeted as the agent says, whom the header has told who it is. */
void identity_greet(struct errand *errand, const struct smtp_event *event);

/* XCLIENT: someone else is the client. */
void identity_xclient(struct errand *errand, const struct smtp_event *event);

/* TLS is to begin: nothing is read or written until it has, and then it is
 * perhaps elsewhere. */
void identity_tls(struct errand *errand, const struct smtp_event *event);

/* Tells the agent what the client says to log in, and the client what comes of
 * it; what was said is in no memory then. */
void identity_login(struct errand *errand, const struct smtp_event *event);

/* The machine has refused a command, perhaps AUTH or a response in it. */
void identity_refused(struct errand *errand, const struct smtp_event *event);

#endif
