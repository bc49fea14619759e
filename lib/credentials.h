/* User and password from a file that nobody else may read; never prints
 * either. */
#ifndef SMTPD_CREDENTIALS_H
#define SMTPD_CREDENTIALS_H

#include "client.h"

struct credentials {
	char user[CLIENT_CREDENTIAL_MAX + 1];
	char password[CLIENT_CREDENTIAL_MAX + 1];
};

/*
 * Reads the one line user:password, split at the first colon, from a regular
 * file that group and others may neither read nor write. NULL, or why it
 * cannot be.
 */
const char *credentials_read(struct credentials *credentials, const char *file);

#endif
