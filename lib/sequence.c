#include "sequence.h"

#include <string.h>

const struct smtp_command *
sequence_row(
    const struct transaction *transaction, const char *verb, size_t length)
{
	const struct smtp_config *config = &transaction->settings->smtp;
	const struct smtp_command *row =
	    config->commands ? config->commands : smtp_commands;
	size_t count = config->commands ? config->command_count : SMTP_COMMANDS;

	for (; count > 0; row++, count--)
		if (strlen(row->verb) == length &&
		    memcmp(row->verb, verb, length) == 0)
			return row;
	return NULL;
}

/* Between the chunks of BDAT it is SMTP_STATE_RECIPIENT, too: that allows a
 * little more than the machine does. */
static enum smtp_state
state(const struct transaction *transaction)
{
	if (transaction->refused)
		return SMTP_STATE_REFUSED;
	if (!transaction->session.greeted)
		return SMTP_STATE_START;
	if (!transaction->envelope.has_sender)
		return SMTP_STATE_READY;
	return transaction->envelope.count == 0 ? SMTP_STATE_SENDER
						: SMTP_STATE_RECIPIENT;
}

/* What the table leaves to functions, which ask the machine. */
static bool
offered(const struct transaction *transaction, enum smtp_kind kind)
{
	const struct settings *settings = transaction->settings;
	const struct smtp_config *config = &settings->smtp;
	const struct session *session = &transaction->session;

	switch (kind) {
	case SMTP_MAIL:
		return (session->mechanism || !config->require_auth) &&
		       (config->messages_max == 0 ||
			   transaction->messages < config->messages_max);
	case SMTP_STARTTLS:
		return settings->starttls.kind != STARTTLS_NONE &&
		       !session->secure && !session->mechanism;
	case SMTP_LOGIN:
		return (session->secure || config->auth_plaintext) &&
		       !session->mechanism;
	case SMTP_XCLIENT:
		return config->takes_xclient;
	default:
		return true;
	}
}

bool
sequence_allows(
    const struct transaction *transaction, const struct smtp_command *row)
{
	const struct smtp_config *config = &transaction->settings->smtp;

	return row && (row->states & (unsigned)state(transaction)) &&
	       (row->protocol == SMTP_EITHER ||
		   (row->protocol == LMTP_ONLY) == config->lmtp) &&
	       (row->plaintext || transaction->session.secure ||
		   !config->require_tls) &&
	       offered(transaction, row->kind);
}

bool
sequence_allows_verb(const struct transaction *transaction, const char *verb)
{
	return sequence_allows(
	    transaction, sequence_row(transaction, verb, strlen(verb)));
}
