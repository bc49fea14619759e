#include "letter.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "number.h"
#include "param.h"

static struct upstream_envelope
envelope(void)
{
	struct recipients all = environment_recipients();
	const char *addresses = all.addresses.text;

	return (struct upstream_envelope){
	    .sender = environment_value("SENDER"),
	    .options = environment_value("SMTP_MAIL_OPTIONS"),
	    .recipients = all,
	    .many = addresses && strchr(addresses, '\n'),
	    .utf8 = getenv("SMTP_UTF8") != NULL,
	};
}

/* Where there are more octets than smtpd has counted, somebody has added a
 * line; fewer mean that somebody has died. */
static bool
is_whole(const struct intake *message)
{
	struct piece size = environment_value("SMTP_SIZE");
	uint64_t number = 0;

	return !size.text ||
	       (number_parse(size.text, size.length, UINT64_MAX, &number) &&
		   message->size >= number);
}

static void
look(void *context, const char *text, size_t length)
{
	content_look(context, text, length);
}

/* The reply to what no SMTP server can be sent as it is; NULL if it can. */
static const char *
objection(const struct content *content)
{
	struct piece body = environment_value("SMTP_BODY");

	if (content->nul)
		return "554 5.6.0 Message has a NUL\n";
	if (content->bare_return)
		return "554 5.6.0 Message has a bare CR\n";
	/* Binary content has no line ends to spell anew (RFC 3030 3). */
	if (body.text && strcmp(body.text, "BINARYMIME") == 0 &&
	    (content->bare_newline || content->unfinished))
		return "554 5.6.3 Message is binary\n";
	return NULL;
}

int
letter_take(struct letter *letter, int descriptor, const char **why)
{
	letter->envelope = envelope();
	*why = "RECIPIENTS is not set";
	if (!letter->envelope.recipients.addresses.text)
		return EX_USAGE;
	/* Looked through as it comes, lest it be read once more for that. */
	letter->message.show = look;
	letter->message.context = &letter->content;
	if (intake_read(&letter->message, descriptor) < 0) {
		*why = strerror(errno);
		return EX_TEMPFAIL;
	}
	*why = "shorter than SMTP_SIZE";
	if (!is_whole(&letter->message))
		return EX_TEMPFAIL;
	content_end(&letter->content);
	letter->envelope.content = &letter->content;
	letter->envelope.size = letter->content.size;
	*why = objection(&letter->content);
	return *why ? EX_DATAERR : EX_OK;
}

/* SIZE as MAIL declared it. */
static uint64_t
declared_size(struct piece parameters)
{
	struct param param;
	uint64_t size = 0;
	size_t at = 0;

	while (param_next(parameters.text, parameters.length, true, &at,
		   &param) == PARAM_FOUND)
		if (param_is(&param, "SIZE") && param.value)
			(void)number_parse(param.value, param.value_length,
			    UINT64_MAX, &size); /* else it stays */
	return size;
}

struct upstream_envelope
letter_candidate(void)
{
	struct upstream_envelope about = envelope();

	about.recipients = (struct recipients){
	    .addresses = environment_value("RECIPIENT"),
	};
	about.many = false;
	about.size = declared_size(about.options);
	return about;
}
