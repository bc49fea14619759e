/* Units of what smtpd-mailman is made of: names of lists, subsets of
 * recipients, refusals that become temporary. */
#include <stdlib.h>
#include <string.h>

#include "listname.h"
#include "quote.h"
#include "subset.h"
#include "text.h"
#include "units.h"

static const struct {
	const char *local;
	const char *meanings; /* command:name, longest first */
} names[] = {
    {"", ""},
    {"a", "post:a"},
    {"a-b", "post:a-b"},
    {"-", "post:-"},
    {"-join", "post:-join"},
    {"a-join", "post:a-join join:a"},
    {"a--join", "post:a--join join:a-"},
    {"a-joi", "post:a-joi"},
    {"a-joins", "post:a-joins"},
    {"a-post", "post:a-post"},
    {"a-JOIN", "post:a-JOIN"},
    {"a+join", "post:a+join"},
    {"a-join+", "post:a-join+ join:a"},
    {"a-join+x", "post:a-join+x join:a"},
    {"a-join+b-leave", "post:a-join+b-leave leave:a-join+b join:a"},
    {"a-join-leave+-owner+x",
	"post:a-join-leave+-owner+x owner:a-join-leave+ leave:a-join"},
};

static void
check_names(void)
{
	for (size_t i = 0; i < ROWS(names); i++) {
		struct listname listname = {
		    .length = strlen(names[i].local),
		};
		char *local = exactly(names[i].local, listname.length);
		char found[256] = "";

		listname.text = local;
		while (listname_next(&listname)) {
			strcat(found, *found ? " " : "");
			strcat(found, listname.command);
			strcat(found, ":");
			strncat(found, local, listname.name);
		}
		CHECK_AT(strcmp(found, names[i].meanings) == 0, i);
		CHECK_AT(!listname_next(&listname), i);
		free(local);
	}
	static const char *const commands[] = {"admin", "bounces", "confirm",
	    "join", "leave", "owner", "request", "subscribe", "unsubscribe"};
	for (size_t i = 0; i < ROWS(commands); i++) {
		char local[32] = "x-";
		struct listname listname = {.text = local};

		strcat(local, commands[i]);
		listname.length = strlen(local);
		CHECK_AT(listname_next(&listname), i);
		CHECK_AT(listname_next(&listname), i);
		CHECK_AT(strcmp(listname.command, commands[i]) == 0, i);
		CHECK_AT(listname.name == 1, i);
	}
}

static void
check_subset(void)
{
	static struct subset subset;
	static char big[SUBSET_MAX];
	struct piece a = {"a@b", 3}, c = {"C@d", 3}, none = {0};
	struct piece options = {"NOTIFY=NEVER", 12}, huge = {big, 0};
	struct recipients all = subset_recipients(&subset);
	struct piece address, parameters;

	CHECK(!recipients_next(&all, &address, &parameters));
	CHECK(subset_add(&subset, a, none));
	CHECK(subset_add(&subset, c, options));
	CHECK(subset_add(&subset, a, none));
	CHECK(subset.count == 3);
	all = subset_recipients(&subset);
	CHECK(recipients_next(&all, &address, &parameters));
	CHECK(address.length == 3 && memcmp(address.text, "a@b", 3) == 0);
	CHECK(!parameters.text);
	CHECK(recipients_next(&all, &address, &parameters));
	CHECK(address.length == 3 && memcmp(address.text, "C@d", 3) == 0);
	CHECK(parameters.length == 12 &&
	      memcmp(parameters.text, options.text, 12) == 0);
	CHECK(recipients_next(&all, &address, &parameters));
	CHECK(!parameters.text);
	CHECK(!recipients_next(&all, &address, &parameters));

	/* A newline and so many octets: one too many, then as many as fit. */
	memset(big, 'x', sizeof big);
	huge.length = SUBSET_MAX - subset.addresses_length;
	CHECK(!subset_add(&subset, huge, none));
	CHECK(subset.count == 3);
	huge.length--;
	CHECK(subset_add(&subset, huge, none));
	CHECK(subset.addresses_length == SUBSET_MAX);
	CHECK(!subset_add(&subset, none, none));
	subset = (struct subset){0};
	huge.length = SUBSET_MAX;
	CHECK(!subset_add(&subset, a, huge));
	huge.length--;
	CHECK(subset_add(&subset, a, huge));
}

static void
check_soften(void)
{
	static const struct {
		int code;
		const char *text, *reply;
	} rows[] = {
	    {550, "5.7.1 No", "451 4.7.1 No\n"},
	    {554, "No", "451 No\n"},
	    {501, "", "451 Upstream gives no reason\n"},
	    {550, "5.7.1 No\n5.7.1 not at all\nnever",
		"451-4.7.1 No\n451-4.7.1 not at all\n451 never\n"},
	    {550, "5.7", "451 5.7\n"},
	    {452, "4.3.1 Full", "452 4.3.1 Full\n"},
	    {250, "2.0.0 OK", "250 2.0.0 OK\n"},
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		struct quote quote = {0};
		size_t length;
		const char *reply;

		quote_add(&quote, rows[i].code, rows[i].text,
		    strlen(rows[i].text), NULL, 0);
		quote_soften(&quote);
		reply = quote_reply(&quote, &length);
		CHECK_AT(length == strlen(rows[i].reply) &&
			     memcmp(reply, rows[i].reply, length) == 0,
		    i);
		CHECK_AT(quote.code == reply_code(reply, length, false), i);
	}
}

void
units_lists(void)
{
	check_names();
	check_subset();
	check_soften();
	CHECK(text_is_ascii("", 0));
	CHECK(text_is_ascii("a\x7f\0", 3));
	CHECK(!text_is_ascii("a\x80", 2));
}
