/* Units of mailbox and pattern: how a recipient becomes a path, and that none
 * leads out of it. */
#include <stdlib.h>
#include <string.h>

#include "mailbox.h"
#include "pattern.h"
#include "units.h"

/* The mailbox of an address that parses, with "me.example" for a missing
 * domain. False where it has none. */
static bool
name(const char *text, bool fold, struct mailbox *mailbox)
{
	struct address address;
	size_t length = strlen(text);

	CHECK(address_parse(text, length, true, &address) == length);
	return mailbox_name(mailbox, &address, "Me.Example", 10, fold);
}

static const struct {
	const char *address;
	const char *as_written;
	const char *folded; /* NULL: the same */
} named[] = {
    {"bob@example.org", "bob@example.org", NULL},
    {"Bob@Example.ORG", "Bob@example.org", "bob@example.org"},
    {"\"bob\"@example.org", "bob@example.org", NULL},
    {"\"a b\"@c", "a b@c", NULL}, {"\"a\\\"b\\\\c\\d\"@c", "a\"b\\cd@c", NULL},
    {"\"@\"@c", "@@c", NULL}, {"a..b@c", "a..b@c", NULL},
    {"a.@c", "a.@c", NULL}, {"postmaster", "postmaster@me.example", NULL},
    {"PostMaster", "postmaster@me.example", NULL},
    {"\"POSTMASTER\"@A", "postmaster@a", NULL},
    {"Postmasters@a", "Postmasters@a", "postmasters@a"},
    {"a@[IPv6:::1]", "a@[ipv6:::1]", NULL}, {"%2e%2e@d", "%2e%2e@d", NULL},
    {"%d@d", "%d@d", NULL}, {"-a@d", "-a@d", NULL}, {"~@d", "~@d", NULL},
    {"|id@c", "|id@c", NULL}, {"\"$(id);`id`\"@c", "$(id);`id`@c", NULL},
    {"\303\204@\303\204", "\303\204@\303\204", NULL}, /* ASCII only */
};

static const char *const refused[] = {
    "..@d",
    ".@d",
    ".a@d",
    "\"..\"@d",
    "\"\\.a\"@d",
    "/@d",
    "a/b@d",
    "/etc/passwd@d",
    "a/../b@d",
    "\"../../etc/x\"@d",
    "\"\\/\"@d",
    "\"a/b\"@d",
    "\"\"@d",
    "a@[x:/../../y]",
    "a@[x:y/z]",
    "\":include:/etc/passwd\"@c",
};

static void
mailbox_names(void)
{
	struct mailbox mailbox;

	for (size_t i = 0; i < ROWS(named); i++) {
		const char *folded = named[i].folded;

		CHECK_AT(name(named[i].address, false, &mailbox), i);
		CHECK_AT(strcmp(mailbox.text, named[i].as_written) == 0, i);
		CHECK_AT(mailbox.length == strlen(mailbox.text), i);
		CHECK_AT(mailbox.text[mailbox.local_length] == '@', i);
		CHECK_AT(name(named[i].address, true, &mailbox), i);
		CHECK_AT(strcmp(mailbox.text,
			     folded ? folded : named[i].as_written) == 0,
		    i);
	}
	for (size_t i = 0; i < ROWS(refused); i++)
		CHECK_AT(!name(refused[i], false, &mailbox), i);
}

/* Whatever a caller hands over that no parser has seen. */
static void
mailbox_octets(void)
{
	for (int c = 0; c < 256; c++) {
		char text[] = {'a', (char)c, 'b', '@', 'd'};
		struct address address = {.text = text,
		    .length = sizeof text,
		    .local_length = 3,
		    .domain = text + 4,
		    .domain_length = 1};
		struct mailbox mailbox;
		bool good = c >= 32 && c != 127 && c != '/';

		CHECK_AT(
		    mailbox_name(&mailbox, &address, "", 0, false) == good, c);
		address = (struct address){.text = "u",
		    .length = 1,
		    .local_length = 1,
		    .domain = text,
		    .domain_length = 3};
		CHECK_AT(
		    mailbox_name(&mailbox, &address, "", 0, false) == good, c);
	}
}

static void
mailbox_limits(void)
{
	char text[MAILBOX_PART_MAX + 1];
	struct mailbox mailbox;
	struct address address = {.text = text, .length = sizeof text};

	memset(text, 'x', sizeof text);
	address.local_length = MAILBOX_PART_MAX;
	CHECK(mailbox_name(&mailbox, &address, text, MAILBOX_PART_MAX, false));
	CHECK(mailbox.length == 2 * MAILBOX_PART_MAX + 1);
	CHECK(!mailbox_name(
	    &mailbox, &address, text, MAILBOX_PART_MAX + 1, false));
	CHECK(!mailbox_name(&mailbox, &address, "", 0, false));
	CHECK(!mailbox_name(&mailbox, &address, ".", 1, false));
	address.local_length++;
	CHECK(!mailbox_name(&mailbox, &address, text, 1, false));
	address.local_length = 0;
	CHECK(!mailbox_name(&mailbox, &address, text, 1, false));
}

static const struct {
	const char *pattern;
	const char *path; /* NULL: no good pattern */
	size_t fixed;
} patterns[] = {
    {"/srv/mail/%d/%u", "/srv/mail/d/u", 10},
    {"/srv/mail/%a", "/srv/mail/u@d", 10},
    {"/srv/mail/v-%u/Maildir/", "/srv/mail/v-u/Maildir", 10},
    {"/srv/mail", "/srv/mail", 5},
    {"/srv/mail///", "/srv/mail", 5},
    {"/", "/", 1},
    {"///", "/", 1},
    {"/%u", "/u", 1},
    {"%u", "u", 0},
    {"Maildir", "Maildir", 0},
    {"./%u", "./u", 2},
    {"/a/100%%/%u", "/a/100%/u", 8},
    {"/a/100%%/b", "/a/100%/b", 8},
    {"/a/%%u", "/a/%u", 3},
    {"/a/%u%%%d", "/a/u%d", 3},
    {"/%u/%u/%a%u", "/u/u/u@du", 1},
    {"", NULL, 0},
    {"%", NULL, 0},
    {"/a/%", NULL, 0},
    {"/a/%%%", NULL, 0},
    {"/a/%x", NULL, 0},
    {"/a/%U", NULL, 0},
    {"/a/% ", NULL, 0},
};

static void
pattern_paths(void)
{
	struct mailbox mailbox;
	struct path path;

	CHECK(name("u@d", false, &mailbox));
	for (size_t i = 0; i < ROWS(patterns); i++) {
		size_t length = strlen(patterns[i].pattern);
		char *pattern = exactly(patterns[i].pattern, length);
		bool good = patterns[i].path != NULL;

		CHECK_AT(pattern_valid(pattern, length) == good, i);
		if (good) {
			CHECK_AT(
			    pattern_expand(pattern, length, &mailbox, &path),
			    i);
			CHECK_AT(strcmp(path.text, patterns[i].path) == 0, i);
			CHECK_AT(path.length == strlen(path.text), i);
			CHECK_AT(path.fixed == patterns[i].fixed, i);
		}
		free(pattern);
	}
	CHECK(!pattern_valid("%\0", 2));
	/* A value is a value, and no pattern. */
	CHECK(name("%d@d", false, &mailbox));
	CHECK(pattern_expand("/%u", 3, &mailbox, &path));
	CHECK(strcmp(path.text, "/%d") == 0);
}

static void
pattern_limits(void)
{
	char local[MAILBOX_PART_MAX], long_pattern[PATTERN_PATH_MAX];
	struct address address = {
	    .text = local, .length = sizeof local, .local_length = 253};
	struct mailbox mailbox;
	struct path path;

	memset(local, 'x', sizeof local);
	CHECK(mailbox_name(&mailbox, &address, "d", 1, false));
	CHECK(pattern_expand("/%a", 3, &mailbox, &path));
	CHECK(path.length == 1 + PATTERN_PART_MAX);
	CHECK(!pattern_expand("/%ax", 4, &mailbox, &path));
	CHECK(pattern_expand("/%a/%a", 6, &mailbox, &path));
	for (size_t i = 0; i < sizeof long_pattern; i++)
		long_pattern[i] = "/a"[i % 2];
	CHECK(pattern_expand(
	    long_pattern, PATTERN_PATH_MAX - 1, &mailbox, &path));
	CHECK(!pattern_expand(long_pattern, PATTERN_PATH_MAX, &mailbox, &path));
}

/* Octets at random: what has a name stays one part of a path. */
static void
pattern_random(void)
{
	static const char octets[] = "a./%u\"\\@\t~d";

	for (int i = 0; i < 20000; i++) {
		char text[8];
		struct address address = {
		    .text = text, .length = sizeof text, .domain = "d"};
		struct mailbox mailbox;
		struct path path;

		for (size_t j = 0; j < sizeof text; j++)
			text[j] = octets[chance(sizeof octets)];
		address.local_length = 1 + chance(sizeof text);
		address.domain_length = 1;
		if (!mailbox_name(&mailbox, &address, "", 0, false))
			continue;
		CHECK(pattern_expand("/r/%u/x", 7, &mailbox, &path));
		CHECK(memchr(path.text + 3, '/', path.length - 3) ==
		      path.text + path.length - 2);
		CHECK(path.text[3] != '.' && path.text[3] != '/');
		CHECK(path.length == strlen(path.text));
	}
}

void
units_pattern(void)
{
	mailbox_names();
	mailbox_octets();
	mailbox_limits();
	pattern_paths();
	pattern_limits();
	pattern_random();
}
