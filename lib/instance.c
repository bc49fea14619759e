#include "instance.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clean.h"
#include "clock.h"
#include "environment.h"

/* At the end of one that MAIL has begun: it is renewed at each MAIL, so RCPT
 * can take it as it is. */
#define BY_MAIL ".mail"

static bool
begun_by_mail(const char *instance)
{
	size_t length = strlen(instance), mark = sizeof BY_MAIL - 1;

	return length >= mark && strcmp(instance + length - mark, BY_MAIL) == 0;
}

/* True if what is remembered is about this message. */
static bool
holds(const char *state, const char *remembered)
{
	if (!remembered || !*remembered)
		return false;
	if (strcmp(state, "RCPT") == 0)
		return begun_by_mail(remembered) ||
		       environment_value("RECIPIENTS").length > 0;
	/* All of these come once, and behind RCPT. */
	return strcmp(state, "DATA") == 0 ||
	       strcmp(state, "END-OF-MESSAGE") == 0;
}

bool
instance_find(
    const char *state, const char *remembered, char instance[INSTANCE_MAX])
{
	struct piece session = environment_value("SMTP_SESSION");
	bool mail = strcmp(state, "MAIL") == 0;
	char id[100];
	size_t length;

	if (holds(state, remembered)) {
		(void)snprintf(instance, INSTANCE_MAX, "%s", remembered);
		return false;
	}
	length = clean(session.text, session.length, false, id, sizeof id);
	(void)snprintf(instance, INSTANCE_MAX, "%.*s.%ld.%lld%s", (int)length,
	    id, (long)getpid(), (long long)clock_now(),
	    mail ? BY_MAIL : ""); /* it fits */
	return mail || strcmp(state, "RCPT") == 0;
}
