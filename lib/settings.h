/* What the options say, for every room that needs it. */
#ifndef SMTPD_SETTINGS_H
#define SMTPD_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "command.h"
#include "hooks.h"
#include "networks.h"
#include "policy.h"
#include "smtp.h"
#include "starttls.h"

struct settings {
	struct smtp_config smtp;
	struct policy policy;
	struct command command;
	struct hooks hooks;
	struct starttls starttls;
	struct networks proxies; /* --proxy-from; none: loopback */
	struct networks xclient; /* --xclient */
	const char *checker;     /* the command of --auth, or NULL */
	bool proxy;              /* a PROXY header comes first */
	bool wrapped;            /* --tls: what connects is the TLS proxy */
	int timeout;             /* seconds to wait for the client */
	int session_timeout;     /* seconds; 0: none */
	int command_timeout;     /* seconds */
	uint64_t min_rate;       /* octets of a message a second; 0: any */
	bool received;           /* add a Received: line */
	bool trust;              /* a local client may send anywhere */
	bool debug;              /* log the dialogue */
	bool exposed;            /* it is known that there is no sandbox */
	bool confined;           /* --require-sandbox */
};

#endif
