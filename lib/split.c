#include "split.h"

#include <string.h>

/* Notes what is wrong, or right. */
static void
note(struct split *split, const struct quote *quote)
{
	quote_take(&split->quote, quote);
}

static void
note_ours(struct split *split, int code, const char *text, struct piece who)
{
	quote_add(&split->quote, code, text, strlen(text),
	    split->about->many ? who.text : NULL, who.length);
}

static bool
is_repeated(struct split *split, struct piece address)
{
	struct recipients all = subset_recipients(&split->known);
	struct piece one, parameters;

	while (recipients_next(&all, &one, &parameters))
		if (lists_same(&split->lists, one, address))
			return true;
	return false;
}

/* Puts a recipient where he belongs; false if that cannot be said. */
static bool
sort_one(struct split *split, struct piece address, struct piece parameters)
{
	struct subset *subset = &split->others;

	switch (lists_know(&split->lists, address)) {
	case LISTS_TROUBLE:
		note(split, &split->lists.quote);
		return false;
	case LISTS_KNOWN:
		/* Who was named twice is sent one message. */
		if (is_repeated(split, address))
			return true;
		subset = &split->known;
		break;
	case LISTS_UNKNOWN:
		if (!split->settings)
			note_ours(
			    split, 550, "5.1.1 No such mailing list", address);
		break;
	}
	if (subset_add(subset, address, parameters))
		return true;
	note_ours(split, 452, "4.5.3 Too many recipients", address);
	return false;
}

static bool
sort_all(struct split *split)
{
	struct recipients all = split->about->recipients;
	struct piece address, parameters;

	while (recipients_next(&all, &address, &parameters))
		if (!sort_one(split, address, parameters))
			return false;
	return true;
}

/* Asks upstream about those that Mailman does not know. */
static void
ask_upstream(struct split *split)
{
	struct upstream_envelope about = *split->about;

	about.recipients = subset_recipients(&split->others);
	split->open = true;
	if (!upstream_open(&split->upstream, split->settings) ||
	    !upstream_ask(&split->upstream, &about))
		note(split, &split->upstream.quote);
}

/* The envelope for the next list; false when there is none left. */
static bool
next_list(const struct split *split, struct recipients *all,
    struct upstream_envelope *about)
{
	*about = *split->about;
	about->recipients = (struct recipients){0};
	return recipients_next(
	    all, &about->recipients.addresses, &about->recipients.options);
}

static void
ask_lists(struct split *split)
{
	struct recipients all = subset_recipients(&split->known);
	struct upstream_envelope about;

	while (next_list(split, &all, &about)) {
		if (lists_ask(&split->lists, &about, split->parcel))
			continue;
		/* It is about the message: the others will have the same. */
		note(split, &split->lists.quote);
		return;
	}
}

bool
split_ask(struct split *split, const struct upstream_settings *settings)
{
	split->quote.utf8 = settings->utf8;
	if (!lists_open(&split->lists, settings)) {
		note(split, &split->lists.quote);
		return false;
	}
	if (!sort_all(split))
		return false;
	if (split->settings && split->others.count > 0)
		ask_upstream(split);
	ask_lists(split);
	return split->quote.code == 0;
}

static bool
send_upstream(struct split *split)
{
	bool good = upstream_send(&split->upstream, split->parcel) &&
		    upstream_verdict(&split->upstream);

	note(split, &split->upstream.quote);
	split->accepted = good;
	return good;
}

void
split_send(struct split *split)
{
	struct recipients all = subset_recipients(&split->known);
	struct upstream_envelope about;
	bool good = split->others.count == 0 || send_upstream(split);

	while (good && next_list(split, &all, &about)) {
		good = lists_send(&split->lists, &about, split->parcel);
		note(split, &split->lists.quote);
		if (good)
			split->accepted = true;
	}
	/* It is not refused: some have it. */
	if (!good && split->accepted)
		quote_soften(&split->quote);
}

void
split_end(struct split *split)
{
	lists_end(&split->lists);
	if (split->open)
		upstream_end(&split->upstream);
}
