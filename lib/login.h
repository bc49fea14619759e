/* The client machine from the greeting until mail can be sent: EHLO, LHLO or
 * HELO, then AUTH; inside the machine, whose state it keeps. */
#ifndef SMTPD_LOGIN_H
#define SMTPD_LOGIN_H

#include "client.h"

/* Says EHLO, LHLO or HELO with our name. */
void login_hello(
    struct client *client, const char *verb, enum client_step step);

/* What follows good replies: to the greeting; to EHLO or HELO; to AUTH LOGIN;
 * to the user. */
void login_greeted(struct client *client);
void login_ready(struct client *client);
void login_user(struct client *client);
void login_password(struct client *client);

#endif
