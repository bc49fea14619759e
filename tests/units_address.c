/* Units of addresses and paths: what contract and RFC 5321 4.1.2 take, what
 * they refuse, and every address that was ever a hole in another server. */
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "units.h"

/* True if text[0..length) is a path from end to end. Every beginning of it is
 * tried too: nothing may be read behind it. */
static bool
whole_path(const char *text, size_t length, bool utf8, struct address *address)
{
	for (size_t n = 0; n <= length; n++) {
		struct address other;
		char *copy = exactly(text, n);

		CHECK_AT(path_parse(copy, n, utf8, &other) <= n, n);
		free(copy);
	}
	return length > 0 && path_parse(text, length, utf8, address) == length;
}

/* What is taken, the mailbox that is in it and its domain. */
static const struct {
	const char *path;
	const char *mailbox;
	const char *domain;
} taken[] = {
    {"<a@b>", "a@b", "b"},
    {"<>", "", ""},
    {"<Postmaster>", "Postmaster", ""},
    {"<postmaster@example.org>", "postmaster@example.org", "example.org"},
    {"a@b", "a@b", "b"}, /* no brackets */
    {"postmaster", "postmaster", ""},
    {"\"a b\"@c", "\"a b\"@c", "c"},
    {"<a.b.c@d.e.f>", "a.b.c@d.e.f", "d.e.f"},
    {"<!#$%&'*+-/=?^_`{|}~@b>", "!#$%&'*+-/=?^_`{|}~@b", "b"},
    {"<a..b@c>", "a..b@c", "c"}, /* dots anywhere in a local part */
    {"<.a@c>", ".a@c", "c"},
    {"<a.@c>", "a.@c", "c"},
    {"<..@d>", "..@d", "d"},
    {"<a@b_c.d>", "a@b_c.d", "b_c.d"}, /* underscores in a domain */
    {"<a@_dmarc.d>", "a@_dmarc.d", "_dmarc.d"},
    {"<a@b-c.d>", "a@b-c.d", "b-c.d"},
    {"<a@b--c>", "a@b--c", "b--c"},
    {"<a@1.2.3>", "a@1.2.3", "1.2.3"},
    {"<A@B.C>", "A@B.C", "B.C"}, /* as it was written */
    {"<a%b!c@d>", "a%b!c@d", "d"},
    /* Quoted-string, RFC 5321 4.1.2 */
    {"<\"\"@d>", "\"\"@d", "d"}, /* CVE-2020-10967 Dovecot */
    {"<\"@\"@d>", "\"@\"@d", "d"},
    {"<\">\"@d>", "\">\"@d", "d"},
    {"<\"a\\\"b\"@d>", "\"a\\\"b\"@d", "d"},
    {"<\"a\\\\\"@d>", "\"a\\\\\"@d", "d"},
    {"<\"a\\b\"@d>", "\"a\\b\"@d", "d"},
    {"<\"postmaster\">", "\"postmaster\"", ""},
    /* Source routes are checked and dropped, RFC 5321 C. */
    {"<@r:u@d>", "u@d", "d"},
    {"<@r1,@r2:u@d>", "u@d", "d"},
    {"<@r1,@[127.0.0.1],@r3:\"u v\"@d>", "\"u v\"@d", "d"},
    {"<@r:postmaster>", "postmaster", ""},
    /* Address literals, RFC 5321 4.1.3 */
    {"<a@[127.0.0.1]>", "a@[127.0.0.1]", "[127.0.0.1]"},
    {"<a@[IPv6:::1]>", "a@[IPv6:::1]", "[IPv6:::1]"},
    {"<a@[x-tag:a.b:c!]>", "a@[x-tag:a.b:c!]", "[x-tag:a.b:c!]"},
    /* Bytes that a shell, an option parser or a path might read as more:
     * taken as they are, inert because nothing on the way is a shell. */
    {"<|id@c>", "|id@c", "c"},
    {"<`id`@c>", "`id`@c", "c"},
    {"<$HOME@c>", "$HOME@c", "c"},
    {"</etc/passwd@c>", "/etc/passwd@c", "c"},
    {"<a/../b@d>", "a/../b@d", "d"}, /* CVE-2015-7611 James */
    {"<%2e%2e@d>", "%2e%2e@d", "d"},
    {"<\"../../etc/x\"@d>", "\"../../etc/x\"@d", "d"},
    {"<\"a b;id\"@c>", "\"a b;id\"@c", "c"},
    {"<\"$(id)\"@c>", "\"$(id)\"@c", "c"},
    {"<\"() { :; }; id\"@c>", "\"() { :; }; id\"@c", "c"},
    {"<\":include:/etc/passwd\"@c>", "\":include:/etc/passwd\"@c", "c"},
    /* CVE-2016-10033, CVE-2016-10045: sendmail -f */
    {"<-OQueueDirectory=/tmp@x>", "-OQueueDirectory=/tmp@x", "x"},
    {"<-X/tmp/x@y>", "-X/tmp/x@y", "y"},
    {"<\"a\\\" -X/x \"@y>", "\"a\\\" -X/x \"@y", "y"},
};

static void
good_paths_are_taken(void)
{
	for (size_t i = 0; i < ROWS(taken); i++) {
		struct address address = {0};
		size_t length = strlen(taken[i].mailbox);
		size_t domain = strlen(taken[i].domain);

		CHECK_AT(whole_path(taken[i].path, strlen(taken[i].path), false,
			     &address),
		    i);
		CHECK_AT(address.length == length, i);
		CHECK_AT(address.text && memcmp(address.text, taken[i].mailbox,
					     address.length) == 0,
		    i);
		CHECK_AT(address.domain_length == domain, i);
		CHECK_AT(address.domain && memcmp(address.domain,
					       taken[i].domain, domain) == 0,
		    i);
		CHECK_AT(address.local_length ==
			     (domain > 0 ? length - domain - 1 : length),
		    i);
		CHECK_AT(!address.utf8, i);
	}
}

/* What is refused, or not taken to its end. */
static const struct {
	const char *path;
	size_t length;
} refused[] = {
    {TEXT("")},
    {TEXT("<")},
    {TEXT(">")},
    {TEXT("< >")},
    {TEXT("<@>")},
    {TEXT("<@b>")},
    {TEXT("<a@>")},
    {TEXT("<a")},
    {TEXT("<a@b")},
    {TEXT("a@b>")},
    {TEXT("<<a@b>>")},
    {TEXT("<a@b>>")},
    {TEXT("< a@b >")},
    {TEXT("<a@b >")},
    {TEXT("<a @b>")},
    {TEXT("<a b@c>")},
    {TEXT("a b")},
    {TEXT("(c)<a@b>")},
    {TEXT("<(c)a@b>")},
    {TEXT("<a@b(c)>")},
    {TEXT("\"x\" <a@b>")},
    {TEXT("x <a@b>")},
    {TEXT("<a,b@c>")},
    {TEXT("<a@b>SIZE=10")},
    {TEXT("<a@b@c>")},
    {TEXT("<a\\b@c>")},
    {TEXT("<a\"b\"@c>")},
    {TEXT("<\"a\"b@c>")},
    {TEXT("<\"a\".b@c>")},
    {TEXT("<\"a@c>")},
    {TEXT("<\"a\\\"@c>")},
    {TEXT("<\"a\\")},
    {TEXT("<:@d>")}, /* CVE-2020-3812 qmail-verify */
    /* Domains: labels begin and end with a letter or a digit. */
    {TEXT("<a@b.>")},
    {TEXT("<a@.b>")},
    {TEXT("<a@b..c>")},
    {TEXT("<a@-b>")},
    {TEXT("<a@b->")},
    {TEXT("<a@b-.c>")},
    {TEXT("<a@b.-c>")},
    {TEXT("<a@b c>")},
    {TEXT("<a@b$(id)>")},
    {TEXT("<a@b;id>")},
    {TEXT("<a@b/c>")},
    {TEXT("<a@b:25>")},
    {TEXT("<a@\"b\">")},
    /* Literals */
    {TEXT("<a@[]>")},
    {TEXT("<a@[127.0.0.1>")},
    {TEXT("<a@127.0.0.1]>")},
    {TEXT("<a@[[127.0.0.1]]>")},
    {TEXT("<a@[127.0.0.1]b>")},
    {TEXT("<a@b[127.0.0.1]>")},
    {TEXT("<a@[x-:y]>")},
    {TEXT("<a@[x:]>")},
    {TEXT("<a@[:y]>")},
    {TEXT("<a@[x:y z]>")},
    {TEXT("<a@[x:y\\z]>")},
    {TEXT("<a@[x:y\x7f]>")},
    /* Source routes */
    {TEXT("<@r>")},
    {TEXT("<@r:>")},
    {TEXT("<@:u@d>")},
    {TEXT("<@r1,r2:u@d>")},
    {TEXT("<@r1,:u@d>")},
    {TEXT("<,@r1:u@d>")},
    {TEXT("<@r1@r2:u@d>")},
    {TEXT("<@r1:@r2:u@d>")},
    {TEXT("<@r-:u@d>")},
    {TEXT("@r:u@d")},
    /* Holes of others */
    {TEXT("<;sleep 66;>")}, /* CVE-2020-7247 OpenSMTPD */
    {TEXT("<a;sleep 5;@c>")},
    {TEXT("<() { :; }; echo x>")}, /* CVE-2014-6271 Shellshock */
    {TEXT("<() { :;}; id@c>")},
    /* CVE-2019-10149 Exim */
    {TEXT("<${run{\\x2Fbin\\x2Fsh\\t-c\\t\\x22id\\x22}}@localhost>")},
    {TEXT("<:include:/etc/passwd@c>")},
    {TEXT("<$(id)@c>")},
    {TEXT("<a\0b@d>")},
    {TEXT("<a@d\0.e>")},
    {TEXT("<\"a\0b\"@d>")},
    {TEXT("<\"a\\\0b\"@d>")},
    {TEXT("<a@b\rX: y>")}, /* CVE-2026-23829 Mailpit */
    {TEXT("<\"a\rb\"@d>")},
    {TEXT("<\"a\nb\"@d>")},
    {TEXT("<\"a\tb\"@d>")},
    {TEXT("<\"a\\\nb\"@d>")},
    {TEXT("<a\tb@d>")},
    {TEXT("<a@b\n>")},
    {TEXT("<a@b>\n")},
    {TEXT("<a@b>\0")},
};

static void
bad_paths_are_refused(void)
{
	for (size_t i = 0; i < ROWS(refused); i++) {
		struct address address;

		CHECK_AT(!whole_path(refused[i].path, refused[i].length, false,
			     &address),
		    i);
		CHECK_AT(!whole_path(refused[i].path, refused[i].length, true,
			     &address),
		    i);
	}
}

/* Which octets stand in the middle of a local part, a quoted local part, a
 * domain, and at the edges of a domain. */
static void
every_octet_is_judged(void)
{
	static const char atext[] = "!#$%&'*+-/=?^_`{|}~.";
	struct address address;

	for (int c = 0; c < 256; c++) {
		bool letter = (c >= 'a' && c <= 'z') ||
			      (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
		bool print = c >= ' ' && c <= '~';
		char local[] = "<a?b@d>", quoted[] = "<\"a?b\"@d>";
		char pair[] = "<\"a\\?b\"@d>", middle[] = "<a@b?d>";
		char first[] = "<a@?d>", last[] = "<a@d?>";

		local[2] = quoted[3] = pair[4] = (char)c;
		middle[4] = first[3] = last[4] = (char)c;
		CHECK_AT(whole_path(TEXT(local), false, &address) ==
			     (letter || (c && strchr(atext, c))),
		    c);
		CHECK_AT(whole_path(TEXT(quoted), false, &address) ==
			     (print && c != '"'),
		    c);
		CHECK_AT(whole_path(TEXT(pair), false, &address) == print, c);
		CHECK_AT(whole_path(TEXT(middle), false, &address) ==
			     (letter || (c && strchr("._-", c))),
		    c);
		CHECK_AT(whole_path(TEXT(first), false, &address) ==
			     (letter || c == '_'),
		    c);
		CHECK_AT(whole_path(TEXT(last), false, &address) ==
			     (letter || c == '_'),
		    c);
	}
}

static void
ip_literals_are_judged(void)
{
	static const struct {
		const char *text;
		bool good;
	} rows[] = {
	    {"[0.0.0.0]", true},
	    {"[255.255.255.255]", true},
	    {"[001.02.3.4]", true}, /* Snum is 1*3DIGIT */
	    {"[256.0.0.1]", false},
	    {"[1.2.3.256]", false},
	    {"[0001.2.3.4]", false},
	    {"[1.2.3]", false},
	    {"[1.2.3.]", false},
	    {"[.1.2.3]", false},
	    {"[1.2.3.4.5]", false},
	    {"[1.2.3.4 ]", false},
	    {"[1.2.3.x]", false},
	    {"[IPv6:]", false},
	    {"[IPv6::]", false},
	    {"[IPv6:::]", true},
	    {"[ipv6:::1]", true},
	    {"[IPv6:1::]", true},
	    {"[IPv6:1:2:3:4:5:6:7:8]", true},
	    {"[IPv6:2001:DB8:0:0:0:0:0:abcd]", true},
	    {"[IPv6:1:2:3:4:5:6:7]", false},
	    {"[IPv6:1:2:3:4:5:6:7:8:9]", false},
	    {"[IPv6:1:2:3:4:5:6:7:8:]", false},
	    {"[IPv6:1:2:3:4:5:6:7::]", true},
	    {"[IPv6:::2:3:4:5:6:7:8]", true},
	    {"[IPv6:1:2:3::5:6:7:8]", true},
	    {"[IPv6:1:2:3:4::5:6:7:8]", false},
	    {"[IPv6:1:2:3:4:5:6:7:8::]", false},
	    {"[IPv6:1::2::3]", false},
	    {"[IPv6::::]", false},
	    {"[IPv6:1:::2]", false},
	    {"[IPv6::1]", false},
	    {"[IPv6:1:]", false},
	    {"[IPv6::1::2]", false},
	    {"[IPv6:12345::]", false},
	    {"[IPv6:g::]", false},
	    {"[IPv6:::1%eth0]", false},
	    {"[IPv6:::1.2.3.4]", true},
	    {"[IPv6:::ffff:1.2.3.4]", true},
	    {"[IPv6:1:2:3:4:5:6:1.2.3.4]", true},
	    {"[IPv6:1:2:3:4:5:1.2.3.4]", false},
	    {"[IPv6:1:2:3:4:5:6:7:1.2.3.4]", false},
	    {"[IPv6:1:2:3:4::1.2.3.4]", true},
	    {"[IPv6:1:2:3:4:5:6::1.2.3.4]", false},
	    {"[IPv6:::1.2.3.4:5]", false},
	    {"[IPv6:::1.2.3]", false},
	    {"[IPv6:::1.2.3.256]", false},
	    {"[IPv6:1.2.3.4]", false},
	    {"[IPv6:1.2.3.4::]", false},
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		size_t length = strlen(rows[i].text);
		char *copy = exactly(rows[i].text, length);

		CHECK_AT(domain_valid(copy, length, false) == rows[i].good, i);
		free(copy);
	}
}

static void
utf8_where_it_was_asked_for(void)
{
	static const struct {
		const char *path;
		bool good;
	} rows[] = {
	    {"<\xC3\xA4@\xC3\xB6.example>", true},
	    {"<a@\xE4\xBE\x8B.\xE5\xAD\x90>", true},
	    {"<\"\xC3\xA4 b\"@c>", true},
	    {"<\xF0\x9F\x98\x80@c>", true},
	    {"<@\xC3\xB6:a@b>", true},
	    {"\xC3\xA4@b", true},
	    {"<\xC2\xA0@c>", true},  /* the first behind the C1 controls */
	    {"<\xC2\x9F@c>", false}, /* the last of them */
	    {"<\xC2\x80@c>", false},
	    {"<a@\xC2\x85.c>", false},
	    {"<\"\xC2\x9B\"@c>", false},
	    {"<\xC3@c>", false}, /* cut */
	    {"<\xE2\x82@c>", false},
	    {"<\xF0\x9F\x98@c>", false},
	    {"<\"\xC3\"@c>", false},
	    {"<\"\\\xC3\xA4\"@c>", false}, /* a quoted-pair is ASCII */
	    {"<a@\xC3>", false},
	    {"<\x80@c>", false},
	    {"<\xBF@c>", false},
	    {"<\xC0\xAF@c>", false}, /* overlong */
	    {"<\xE0\x80\xAF@c>", false},
	    {"<\xF0\x80\x80\xAF@c>", false},
	    {"<\xED\xA0\x80@c>", false}, /* surrogate */
	    {"<\xF4\x90\x80\x80@c>", false},
	    {"<\xFF@c>", false}, /* CVE-2003-0161 Sendmail */
	    {"<a@\xFE.c>", false},
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		size_t length = strlen(rows[i].path);
		struct address address = {0};

		CHECK_AT(whole_path(rows[i].path, length, true, &address) ==
			     rows[i].good,
		    i);
		/* A route is dropped, and so does not make it UTF-8. */
		if (rows[i].good)
			CHECK_AT(address.utf8 == (rows[i].path[1] != '@'), i);
		CHECK_AT(!whole_path(rows[i].path, length, false, &address), i);
	}
}

static void
limits_hold(void)
{
	static char text[4096];
	struct address address;

	/* RFC 5321 4.5.3.1.2, in a domain, in a literal and in a route. */
	for (size_t n = ADDRESS_DOMAIN_MAX; n <= ADDRESS_DOMAIN_MAX + 1; n++) {
		bool fits = n == ADDRESS_DOMAIN_MAX;

		memset(text, 'd', sizeof text);
		memcpy(text, "<a@", 3);
		text[3 + n] = '>';
		CHECK_AT(path_parse(text, n + 4, false, &address) ==
			     (fits ? n + 4 : 0),
		    n);
		CHECK_AT(domain_valid(text + 3, n, false) == fits, n);
		memcpy(text + 3, "[x:", 3);
		text[3 + n - 1] = ']';
		CHECK_AT(domain_valid(text + 3, n, false) == fits, n);
		memset(text, 'd', sizeof text);
		memcpy(text, "<@", 2);
		memcpy(text + 2 + n, ":a@b>", 5);
		CHECK_AT(path_parse(text, n + 7, false, &address) ==
			     (fits ? n + 7 : 0),
		    n);
	}
	/* A local part of any length */
	memset(text, 'l', sizeof text);
	memcpy(text + sizeof text - 2, "@d", 2);
	CHECK(address_parse(text, sizeof text, false, &address) == sizeof text);
	CHECK(address.local_length == sizeof text - 2);
	CHECK(!domain_valid("", 0, false));
}

static void
routing_characters_are_seen(void)
{
	static const struct {
		const char *text;
		bool routes;
	} rows[] = {
	    {"a@b", false},
	    {"a%b@c", true},
	    {"a!b@c", true},
	    {"\"a@b\"@c", true},
	    {"postmaster", false},
	    {"%", true},
	};

	for (size_t i = 0; i < ROWS(rows); i++) {
		size_t length = strlen(rows[i].text);
		struct address address = {0};

		CHECK_AT(address_parse(rows[i].text, length, false, &address) ==
			     length,
		    i);
		CHECK_AT(address_routes(&address) == rows[i].routes, i);
	}
}

void
units_address(void)
{
	good_paths_are_taken();
	bad_paths_are_refused();
	every_octet_is_judged();
	ip_literals_are_judged();
	utf8_where_it_was_asked_for();
	limits_hold();
	routing_characters_are_seen();
}
