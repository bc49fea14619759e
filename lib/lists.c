#include "lists.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "text.h"

/* Notes upstream's reply as ours. */
static void
note(struct lists *lists)
{
	quote_clear(&lists->quote);
	quote_take(&lists->quote, &lists->upstream.quote);
}

/* Notes a reply of our own, and why for the log. */
static void
note_failure(struct lists *lists, const char *what)
{
	static const char reply[] = "4.3.0 Temporary failure, try again later";

	(void)snprintf(lists->upstream.trouble, sizeof lists->upstream.trouble,
	    "%s: %s", what, strerror(errno));
	quote_clear(&lists->quote);
	quote_add(&lists->quote, 451, reply, sizeof reply - 1, NULL, 0);
}

bool
lists_open(struct lists *lists, const struct upstream_settings *settings)
{
	lists->quote.utf8 = settings->utf8;
	lists->upstream.settings = settings;
	if (lists->wrapper.path || upstream_open(&lists->upstream, settings))
		return true;
	note(lists);
	return false;
}

/* Makes Mailman 3 forget what it was asked. */
static bool
forget(struct lists *lists)
{
	lists->asked = NULL;
	if (upstream_reset(&lists->upstream))
		return true;
	note(lists);
	return false;
}

/* Mailman 3 says 550 at RCPT where there is no such list. */
static enum lists_answer
ask_whether_known(struct lists *lists, struct piece address)
{
	const struct upstream_envelope question = {
	    .sender = {.text = ""},
	    .recipients = {.addresses = address},
	};

	/* No list has such an address. */
	if (!text_is_ascii(address.text, address.length))
		return LISTS_UNKNOWN;
	if (upstream_ask(&lists->upstream, &question))
		return forget(lists) ? LISTS_KNOWN : LISTS_TROUBLE;
	note(lists);
	if (!lists->upstream.for_recipients || lists->quote.code < 500)
		return LISTS_TROUBLE;
	return forget(lists) ? LISTS_UNKNOWN : LISTS_TROUBLE;
}

enum lists_answer
lists_know(struct lists *lists, struct piece address)
{
	struct wrapper_list list;
	int found;

	if (!lists->wrapper.path)
		return ask_whether_known(lists, address);
	found = wrapper_find(&lists->wrapper, address, &list);
	if (found >= 0)
		return found ? LISTS_KNOWN : LISTS_UNKNOWN;
	note_failure(lists, lists->wrapper.folder_path);
	return LISTS_TROUBLE;
}

bool
lists_same(struct lists *lists, struct piece one, struct piece other)
{
	struct wrapper_list a, b;

	if (!lists->wrapper.path)
		return text_same(
		    one.text, one.length, other.text, other.length);
	return wrapper_find(&lists->wrapper, one, &a) == 1 &&
	       wrapper_find(&lists->wrapper, other, &b) == 1 &&
	       a.command == b.command && strcmp(a.name, b.name) == 0;
}

/* The wrapper reads a file: is there one? */
static bool
has_file(struct lists *lists, const struct parcel *parcel)
{
	if (intake_file(parcel->message) >= 0)
		return true;
	note_failure(lists, "temporary file");
	return false;
}

bool
lists_ask(struct lists *lists, const struct upstream_envelope *envelope,
    const struct parcel *parcel)
{
	if (lists->wrapper.path)
		return !parcel || has_file(lists, parcel);
	if (lists->asked && !forget(lists))
		return false;
	if (!upstream_ask(&lists->upstream, envelope)) {
		note(lists);
		return false;
	}
	lists->asked = envelope->recipients.addresses.text;
	return true;
}

static bool
send_by_wrapper(
    struct lists *lists, struct piece address, struct parcel *parcel)
{
	struct wrapper_list list;
	char reply[REPLY_MAX + 1];
	size_t length;

	if (!has_file(lists, parcel))
		return false;
	/* It was there a moment ago. */
	if (wrapper_find(&lists->wrapper, address, &list) != 1) {
		note_failure(lists, lists->wrapper.folder_path);
		return false;
	}
	length =
	    wrapper_run(&lists->wrapper, &list, intake_file(parcel->message),
		lists->upstream.settings->deadline, reply);
	quote_clear(&lists->quote);
	quote_add(&lists->quote, reply_code(reply, length, true), reply + 4,
	    length - 5, NULL, 0);
	return lists->quote.code < 400;
}

bool
lists_send(struct lists *lists, const struct upstream_envelope *envelope,
    struct parcel *parcel)
{
	const char *address = envelope->recipients.addresses.text;
	bool good;

	if (lists->wrapper.path)
		return send_by_wrapper(
		    lists, envelope->recipients.addresses, parcel);
	if (lists->asked != address && !lists_ask(lists, envelope, parcel))
		return false;
	lists->asked = NULL;
	good = upstream_send(&lists->upstream, parcel) &&
	       upstream_verdict(&lists->upstream);
	note(lists);
	return good;
}

void
lists_end(struct lists *lists)
{
	if (!lists->wrapper.path)
		upstream_end(&lists->upstream);
}
