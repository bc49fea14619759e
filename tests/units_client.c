/* Units of the client: whole dialogues with any chunking, hostile replies at
 * every step, and what goes onto the wire. */
#include "client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "units.h"

#define LOG_MAX 8192

/* A dialogue: what upstream says, one reply for each command ("|" between
 * them, the greeting first), and what must come of it. */
struct script {
	const char *replies;
	bool lmtp;
	const char *user;
	size_t recipients;
	const char *said;   /* by us, CRLF as "/" */
	const char *events; /* kind, code and text */
};

/* Upstream, played from a script. */
struct play {
	struct client client;
	const struct script *script;
	const char *next; /* of the replies */
	size_t seen;      /* octets of said */
	bool content;
	size_t asked;
	size_t said_length;
	char said[LOG_MAX];
	size_t log_length;
	char log[LOG_MAX];
};

#define EHLO "250-mx/250-PIPELINING/250-SIZE 1000/250-8BITMIME/250-DSN/250 x|"

static const struct script scripts[] = {
    {"220 mx|" EHLO "250 s|250 r|250 q|354 go|250 done|221 bye", false, NULL, 2,
	"EHLO me/MAIL FROM:<a@b> SIZE=12 RET=HDRS ENVID=x/"
	"RCPT TO:<c0@d> NOTIFY=NEVER/RCPT TO:<c1@d> NOTIFY=NEVER/DATA/"
	"..x/y/./QUIT/",
	"ready250 sender250:s recipient250:r recipient250:q data354:go "
	"verdict250:done gone "},
    /* No EHLO, no extensions; lines end in LF; codes without text */
    {"220 mx|500 what|250\n|250|251\n|354|250", false, NULL, 1,
	"EHLO me/HELO me/MAIL FROM:<a@b>/RCPT TO:<c0@d>/DATA/..x/y/./QUIT/",
	"ready250 sender250: recipient251: data354: verdict250: "},
    {"220 mx|" EHLO "250 s|450-r/450 s|550 q|221 bye", false, NULL, 2, NULL,
	"ready250 sender250:s recipient450:r,s recipient550:q gone "},
    {"220 l|" EHLO "250 s|250 r|250 q|354 go|250 one/452 two|221", true, NULL,
	2, NULL,
	"ready250 sender250:s recipient250:r recipient250:q data354:go "
	"verdict250:one verdict452:two gone "},
    /* A verdict for those accepted only */
    {"220 l|" EHLO "250 s|250 r|550 q|354 go|250 one|221", true, NULL, 2, NULL,
	"ready250 sender250:s recipient250:r recipient550:q data354:go "
	"verdict250:one gone "},
    {"220 l|500 no", true, NULL, 1, "LHLO me/", "about failed451:no "},
    {"220 l|550 no", true, NULL, 1, "LHLO me/", "failed550:no "},
    /* RFC 4954: AUTH, by what is offered */
    {"220 mx|250-mx/250 AUTH LOGIN plain|235 in|250 s|250 r|354|250|221", false,
	"u:ser", 1,
	"EHLO me/AUTH PLAIN AHU6c2VyAHA6dw==/MAIL FROM:<a@b>/"
	"RCPT TO:<c0@d>/DATA/..x/y/./QUIT/",
	"ready235 sender250:s recipient250:r data354: verdict250: gone "},
    {"220 mx|250-mx/250 AUTH=LOGIN|334 VX|334 UG|235 in|250 s|250 r|354|250|"
     "221",
	false, "u:ser", 1,
	"EHLO me/AUTH LOGIN/dTpzZXI=/cDp3/MAIL FROM:<a@b>/RCPT TO:<c0@d>/DATA/"
	"..x/y/./QUIT/",
	"ready235 sender250:s recipient250:r data354: verdict250: gone "},
    {"220 mx|250-mx/250 AUTH PLAIN|535 5.7.8 no", false, "u", 1, NULL,
	"about failed451:5.7.8 no "},
    {"220 mx|250-mx/250 AUTH CRAM-MD5|", false, "u", 1, "EHLO me/",
	"failed451:4.7.0 "},
    {"220 mx|500 no|250 x|", false, "u", 1, "EHLO me/HELO me/",
	"failed451:4.7.0 "},
    /* Refusals before there is mail */
    {"554 no", false, NULL, 1, "", "failed554:no "},
    {"421 busy", false, NULL, 1, "", "failed421:busy "},
    {"250 mx", false, NULL, 1, "", "failed451:4.4.2 "},
    {"220 mx|421 busy", false, NULL, 1, "EHLO me/", "failed421:busy "},
    {"220 mx|450 no", false, NULL, 1, "EHLO me/", "failed450:no "},
    {"220 mx|220 mx", false, NULL, 1, "EHLO me/", "failed451:4.4.2 "},
    {"220 mx|500 a|502 b", false, NULL, 1, "EHLO me/HELO me/", "failed502:b "},
    /* 421 is the last word at any time */
    {"220 mx|" EHLO "250 s|421 bye|250 x", false, NULL, 2, NULL,
	"ready250 sender250:s failed421:bye "},
    {"220 mx|" EHLO "250 s|250 r|354 go|421 bye", false, NULL, 1, NULL,
	"ready250 sender250:s recipient250:r data354:go failed421:bye "},
    /* Lies: accepted before there is anything to accept, 3xx for 2xx */
    {"220 mx|" EHLO "250 s|250 r|354 go/250 done|250", false, NULL, 1, NULL,
	"ready250 sender250:s recipient250:r data354:go failed451:4.4.2 "},
    {"220 mx|" EHLO "250 s|250 r|354 go/552 big|250", false, NULL, 1, NULL,
	"ready250 sender250:s recipient250:r data354:go failed552:big "},
    {"220 mx|" EHLO "250 s|250 r|250 done", false, NULL, 1, NULL,
	"ready250 sender250:s recipient250:r failed451:4.4.2 "},
    {"220 mx|" EHLO "250 s|250 r|554 none", false, NULL, 1, NULL,
	"ready250 sender250:s recipient250:r data554:none "},
    {"220 mx|" EHLO "354 s", false, NULL, 1, NULL, "ready250 failed451:4.4.2 "},
    {"220 mx|" EHLO "250 s|354 r", false, NULL, 1, NULL,
	"ready250 sender250:s failed451:4.4.2 "},
    {"220 mx|" EHLO "250 s|250 r|354|354", false, NULL, 1, NULL,
	"ready250 sender250:s recipient250:r data354: failed451:4.4.2 "},
    {"220 mx/250 early|x", false, NULL, 1, "", "failed451:4.4.2 "},
    {"220 mx/220 mx|" EHLO, false, NULL, 1, NULL, "failed451:4.4.2 "},
    {"220 mx|" EHLO "250 s|250 r|354 go|554 no", false, NULL, 1, NULL,
	"ready250 sender250:s recipient250:r data354:go verdict554:no "},
    /* 5xx in place of 250 in the middle of EHLO's lines; CVE-2020-8794 */
    {"220 mx|250-mx/550 SIZE 3|", false, NULL, 1, "EHLO me/",
	"failed451:4.4.2 "},
    {"220 mx|" EHLO "553-/553/\nx: y|", false, NULL, 1, NULL,
	"ready250 sender553:, failed451:4.4.2 "},
};

static void
note(struct play *play, const char *text, size_t length)
{
	if (length >= LOG_MAX - play->log_length)
		abort();
	memcpy(play->log + play->log_length, text, length);
	play->log_length += length;
	play->log[play->log_length] = '\0';
}

static void
note_event(struct play *play, const struct client_event *event)
{
	static const char *const names[] = {"read", "ready", "sender",
	    "recipient", "data", "verdict", "reset", "gone", "failed"};
	char text[3000];
	int n;

	if (event->kind == CLIENT_GONE)
		n = sprintf(text, "gone ");
	else if (event->kind == CLIENT_READY)
		n = sprintf(text, "ready%d ", event->code);
	else if (event->kind == CLIENT_FAILED && event->code == 451 &&
		 !event->about)
		/* Our own words: the enhanced code will do. */
		n = sprintf(text, "failed451:%.5s ", event->text);
	else
		n = sprintf(text, "%s%s%d:%.*s ", event->about ? "about " : "",
		    names[event->kind], event->code, (int)event->length,
		    event->text);
	for (char *at = text; (at = strchr(at, '\n'));)
		*at = ',';
	note(play, text, (size_t)n);
}

/* The caller's part: what to do next. */
static void
proceed(struct play *play, const struct client_event *event)
{
	static const char message[] = ".x\ny\r\n";
	static const struct client_message mail = {.sender = "a@b",
	    .sender_length = 3,
	    .options = "RET=HDRS SIZE=3 ENVID=x AUTH=<>",
	    .options_length = 31,
	    .size = 12};
	const char *text = message;
	size_t length = strlen(message);

	if (event->kind == CLIENT_READY)
		CHECK(client_mail(&play->client, &mail));
	if (event->kind == CLIENT_RECIPIENT &&
	    play->client.accepted == play->script->recipients)
		client_data(&play->client);
	else if (event->kind == CLIENT_RECIPIENT && play->client.count == 0 &&
		 play->asked == play->script->recipients) {
		if (play->script->lmtp)
			client_data(&play->client);
		else
			client_quit(&play->client);
	}
	if (event->kind == CLIENT_DATA && event->code == 354) {
		play->content = true;
		client_content(&play->client, &text, &length);
		if (client_next(&play->client)->kind == CLIENT_FAILED)
			return;
		CHECK(client_content_end(&play->client));
		CHECK(length == 0);
	}
	if (event->kind == CLIENT_VERDICT && event->code < 400 &&
	    (play->client.count == 0 || !play->script->lmtp))
		client_quit(&play->client);
	else if (event->kind == CLIENT_VERDICT && play->client.count == 0 &&
		 play->script->lmtp)
		client_quit(&play->client);
	while (client_room(&play->client) && play->client.utf8 == false &&
	       (event->kind == CLIENT_READY || event->kind == CLIENT_SENDER ||
		   event->kind == CLIENT_RECIPIENT) &&
	       event->code < 300 && play->asked < play->script->recipients) {
		char address[] = "c0@d";

		address[1] = (char)('0' + play->asked++);
		CHECK(client_rcpt(
		    &play->client, address, 4, "NOTIFY=NEVER X=y", 16));
	}
}

/* Takes what the client says. */
static void
hear(struct play *play)
{
	size_t length;
	const char *output = client_output(&play->client, &length);

	if (length >= LOG_MAX - play->said_length)
		abort();
	memcpy(play->said + play->said_length, output, length);
	play->said_length += length;
	play->said[play->said_length] = '\0';
	client_written(&play->client, length);
}

/* True if the client has said one thing more: a command, or a message. */
static bool
heard(struct play *play)
{
	const char *from = play->said + play->seen;
	const char *end = strstr(from, "\r\n");

	if (end && play->content && strncmp(from, "DATA", 4) != 0)
		end = strstr(from, "\r\n.\r\n");
	if (!end)
		return false;
	if (strncmp(from, "..x", 3) == 0) {
		end += 3;
		play->content = false;
	}
	play->seen = (size_t)(end + 2 - play->said);
	return true;
}

/* Writes the next reply of the script to out, "/" as CRLF. */
static size_t
next_reply(struct play *play, char *out)
{
	size_t n = 0, length = strcspn(play->next, "|");

	for (size_t i = 0; i < length; i++) {
		if (play->next[i] == '/')
			out[n++] = '\r';
		out[n++] = play->next[i] == '/' ? '\n' : play->next[i];
	}
	if (n > 0 && out[n - 1] != '\n') {
		out[n++] = '\r';
		out[n++] = '\n';
	}
	play->next += length;
	play->next += *play->next == '|';
	return n;
}

/* Until the client wants more than there is; false when it is all over. */
static bool
events(struct play *play)
{
	const struct client_event *event;

	while ((event = client_next(&play->client))->kind != CLIENT_READ) {
		note_event(play, event);
		if (event->kind >= CLIENT_GONE)
			return false;
		proceed(play, event);
	}
	hear(play);
	return true;
}

static void
lend(struct play *play, const char *text, size_t length, size_t piece)
{
	for (size_t at = 0, n; at < length; at += n) {
		char *copy;
		bool going;

		n = piece ? piece : 1 + chance(9);
		if (n > length - at)
			n = length - at;
		copy = exactly(text + at, n);
		client_input(&play->client, copy, n);
		going = events(play);
		free(copy);
		if (!going)
			return;
	}
}

/* Plays a script, replies cut into pieces of so many octets (0: random). */
static void
perform(struct play *play, const struct script *script, size_t piece)
{
	struct client_config config = {.name = "me",
	    .lmtp = script->lmtp,
	    .user = script->user,
	    .password = "p:w"};
	bool greeting = true;

	memset(play, 0, sizeof *play);
	play->script = script;
	play->next = script->replies;
	client_begin(&play->client, &config);
	while (
	    !play->client.failed && (greeting || heard(play)) && *play->next) {
		char reply[4096];
		size_t length = next_reply(play, reply);

		greeting = false;
		lend(play, reply, length, piece);
	}
}

static void
dialogues(void)
{
	static const size_t pieces[] = {1, 2, 3, 5, 100000, 0, 0, 0};
	static struct play play;

	for (size_t i = 0; i < ROWS(scripts); i++) {
		for (size_t k = 0; k < ROWS(pieces); k++) {
			const char *want = scripts[i].said;
			char said[LOG_MAX];
			size_t n = 0;

			/* What comes with a reply, and not behind it:
			 * else all is different. */
			if ((strstr(scripts[i].replies, "354 go/") ||
				strstr(scripts[i].replies, "early")) &&
			    pieces[k] != 100000)
				continue;
			perform(&play, &scripts[i], pieces[k]);
			CHECK_AT(strcmp(play.log, scripts[i].events) == 0, i);
			if (strcmp(play.log, scripts[i].events) != 0)
				printf("%zu: %s\n", pieces[k], play.log);
			for (size_t at = 0; at < play.said_length; at++)
				if (play.said[at] != '\r')
					said[n++] = play.said[at] == '\n'
							? '/'
							: play.said[at];
			said[n] = '\0';
			CHECK_AT(!want || strcmp(said, want) == 0, i);
			if (want && strcmp(said, want) != 0)
				printf("%zu: %s\n", pieces[k], said);
		}
	}
}

/* What is no reply ends it with 451 4.4.2 in place of any reply. */
static void
garbage(void)
{
	static const char good[] =
	    "220 mx|" EHLO "250 s|250 r|354 go|250 done|";
	static const struct {
		const char *text;
		size_t length;
	} rows[] = {
	    {TEXT("\r\n")},
	    {TEXT("25\r\n")},
	    {TEXT("250x\r\n")},
	    {TEXT("2500\r\n")},
	    {TEXT("x50 x\r\n")},
	    {TEXT("150 x\r\n")},
	    {TEXT("650 x\r\n")},
	    {TEXT("2 50 x\r\n")},
	    {TEXT(" 250 x\r\n")},
	    {TEXT("250-a\r\n251 b\r\n")},
	    {TEXT("250-a\r\n550 b\r\n")},
	    {TEXT("250-a\r\n\r\n")},
	    {TEXT("250 a\0b\r\n")},
	    {TEXT("\0\0\0\0")},
	    {TEXT("\xff\xfb\x01\r\n")},
	    {TEXT("\r250 x\r\n")},
	    {TEXT("HTTP/1.1 400 Bad\r\n")},
	};
	static struct play play;

	for (size_t step = 0; step < 6; step++) {
		for (size_t i = 0; i < ROWS(rows); i++) {
			struct script script = {good, false, NULL, 1, "", ""};
			struct client_config config = {.name = "me"};
			char reply[256];

			memset(&play, 0, sizeof play);
			play.script = &script;
			play.next = script.replies;
			client_begin(&play.client, &config);
			for (size_t n = 0; n < step; n++) {
				size_t length = next_reply(&play, reply);
				lend(&play, reply, length, 0);
				CHECK_AT(heard(&play), step);
			}
			lend(&play, rows[i].text, rows[i].length, 0);
			CHECK_AT(play.client.failed, i);
			CHECK_AT(strstr(play.log, "failed451:4.4.2"), i);
		}
	}
}

/* The longest line and the longest reply are taken, one octet more is not. */
static void
limits(void)
{
	static char text[2 * ANSWER_MAX];
	static struct client client;
	struct client_config config = {.name = "me"};

	for (size_t extra = 0; extra < 2; extra++) {
		size_t n = ANSWER_LINE_MAX + extra;

		memset(text, 'x', sizeof text);
		memcpy(text, "554 ", 4);
		memcpy(text + n, "\r\n", 2);
		client_begin(&client, &config);
		client_input(&client, text, n + 2);
		CHECK(client_next(&client)->code == (extra ? 451 : 554));
		CHECK(client.event.length == (extra ? strlen(client.event.text)
						    : ANSWER_TEXT_MAX - 4));
		client_begin(&client, &config);
		for (size_t at = 0; at < ANSWER_MAX; at += 8)
			memcpy(text + at, "554-xx\r\n", 8);
		memcpy(text + ANSWER_MAX - 8, "554 xx\r\n", 8);
		if (extra)
			memcpy(text + ANSWER_MAX - 8, "554 xxx\r\n", 9);
		client_input(&client, text, ANSWER_MAX + extra);
		CHECK(client_next(&client)->code == (extra ? 451 : 554));
	}
	/* Without end: 1 MB of one line, of lines. */
	for (int lines = 0; lines < 2; lines++) {
		client_begin(&client, &config);
		for (size_t n = 0; n < 1000000; n += 10) {
			client_input(
			    &client, lines ? "250-xxxxx\n" : "2500000000", 10);
			(void)client_next(&client);
		}
		CHECK(client.failed);
	}
}

/* Connects by script until MAIL may be said. */
static void
make_ready(
    struct client *client, const struct client_config *config, const char *ehlo)
{
	client_begin(client, config);
	client_input(client, "220 x\r\n", 7);
	(void)client_next(client);
	client_written(client, client->output_length);
	client_input(client, ehlo, strlen(ehlo));
	CHECK(client_next(client)->kind == CLIENT_READY);
}

static void
addresses(void)
{
	static const char *const bad[] = {"a b@c", "a@b>\r\nDATA", "a@b\r\n",
	    "a\nb@c", "<a@b>", "a@b> SIZE=1", "\xC3\xA4@b", "a@", "\"a\r\"@b"};
	static const char *const good[] = {
	    "postmaster", "\"a b\"@c", "a@[127.0.0.1]", "-x@y", "|id@c"};
	static struct client client;
	struct client_config config = {.name = "me"};

	for (size_t i = 0; i < ROWS(bad); i++) {
		struct client_message mail = {
		    .sender = bad[i], .sender_length = strlen(bad[i])};
		size_t before;

		make_ready(&client, &config, "250-x\r\n250 PIPELINING\r\n");
		before = client.output_length;
		CHECK_AT(!client_mail(&client, &mail), i);
		CHECK_AT(client.output_length == before, i);
		mail.sender_length = 0;
		CHECK(client_mail(&client, &mail));
		before = client.output_length;
		CHECK_AT(
		    !client_rcpt(&client, bad[i], strlen(bad[i]), NULL, 0), i);
		CHECK(!client_rcpt(&client, "", 0, NULL, 0));
		CHECK_AT(client.output_length == before, i);
	}
	for (size_t i = 0; i < ROWS(good); i++) {
		struct client_message mail = {
		    .sender = good[i], .sender_length = strlen(good[i])};

		make_ready(&client, &config, "250-x\r\n250 PIPELINING\r\n");
		CHECK_AT(client_mail(&client, &mail), i);
		CHECK_AT(
		    client_rcpt(&client, good[i], strlen(good[i]), NULL, 0), i);
	}
}

/* No more commands wait than CLIENT_BATCH_MAX; one without PIPELINING. */
static void
batches(void)
{
	static struct client client;
	struct client_config config = {.name = "me"};
	struct client_message mail = {.sender = "a@b", .sender_length = 3};
	size_t n = 1;

	make_ready(&client, &config, "250-x\r\n250 PIPELINING\r\n");
	CHECK(client_mail(&client, &mail));
	for (; client_room(&client); n++)
		CHECK(client_rcpt(&client, "c@d", 3, NULL, 0));
	CHECK(n == CLIENT_BATCH_MAX);
	for (size_t i = 0; i < 3 * n; i++) {
		client_input(&client, "250 x\n", 6);
		(void)client_next(&client);
		client_written(&client, client.output_length);
		CHECK(client_room(&client));
		CHECK(client_rcpt(&client, "c@d", 3, NULL, 0));
		CHECK(!client_room(&client));
	}
	make_ready(&client, &config, "250 x\r\n");
	CHECK(client_mail(&client, &mail));
	CHECK(!client_room(&client));
}

/* The longest address and the longest parameters are taken, one octet more is
 * not; a batch of the longest fits into the output. */
static void
longest(void)
{
	static struct client client;
	static char address[CLIENT_ADDRESS_MAX + 2];
	static char options[CLIENT_ADDRESS_MAX + 2];
	struct client_config config = {.name = "me"};
	struct client_message mail = {.sender = address, .options = options};

	memset(address, 'x', sizeof address);
	memcpy(address + CLIENT_ADDRESS_MAX - 4, "@b.c", 4);
	memset(options, 'x', sizeof options);
	memcpy(options, "ENVID=", 6);
	for (size_t extra = 0; extra < 2; extra++) {
		size_t n = CLIENT_ADDRESS_MAX + extra;
		bool fits = extra == 0;

		address[n - 1] = 'c';
		make_ready(
		    &client, &config, "250-x\r\n250-DSN\r\n250 PIPELINING\r\n");
		mail.sender_length = n;
		CHECK(client_mail(&client, &mail) == fits);
		mail.sender_length = 0;
		mail.options_length = n;
		make_ready(
		    &client, &config, "250-x\r\n250-DSN\r\n250 PIPELINING\r\n");
		memcpy(options, "ENVID=", 6);
		CHECK(client_mail(&client, &mail) == fits);
		mail.options_length = 0;
		make_ready(
		    &client, &config, "250-x\r\n250-DSN\r\n250 PIPELINING\r\n");
		CHECK(client_mail(&client, &mail));
		CHECK(client_rcpt(&client, address, n, NULL, 0) == fits);
		memcpy(options, "ORCPT=", 6);
		CHECK(client_rcpt(&client, "c@d", 3, options, n) == fits);
	}
	make_ready(&client, &config, "250-x\r\n250-DSN\r\n250 PIPELINING\r\n");
	address[CLIENT_ADDRESS_MAX - 1] = 'c';
	mail.sender_length = CLIENT_ADDRESS_MAX;
	mail.options_length = CLIENT_ADDRESS_MAX;
	memcpy(options, "ENVID=", 6);
	CHECK(client_mail(&client, &mail));
	memcpy(options, "ORCPT=", 6);
	while (client_room(&client))
		CHECK(client_rcpt(&client, address, CLIENT_ADDRESS_MAX, options,
		    CLIENT_ADDRESS_MAX));
	CHECK(client.output_length > CLIENT_OUTPUT_MAX / 2);
	CHECK(client.count < CLIENT_BATCH_MAX);
}

/* The end of the message waits until there is room for all of it. */
static void
ends(void)
{
	static struct client client;
	static char text[CLIENT_OUTPUT_MAX];
	struct client_config config = {.name = "me"};

	memset(text, 'x', sizeof text);
	for (size_t room = 0; room < 2 * DOTS_END_MAX; room++) {
		const char *from = text;
		size_t length = sizeof text - room;

		make_ready(&client, &config, "250 x\r\n");
		client_data(&client);
		client_written(&client, client.output_length);
		client_input(&client, "354 a\n", 6);
		CHECK(client_next(&client)->kind == CLIENT_DATA);
		CHECK(client_next(&client)->kind == CLIENT_READ);
		client_content(&client, &from, &length);
		CHECK(length == 0);
		CHECK_AT(client_content_end(&client) == (room >= DOTS_END_MAX),
		    room);
		CHECK_AT(client.output_length <= CLIENT_OUTPUT_MAX, room);
	}
}

/* RFC 5321 4.5.3.2: what upstream may take for each step. */
static void
patience(void)
{
	static struct client client;
	struct client_config config = {.name = "me"};
	struct client_message mail = {.sender = "a@b", .sender_length = 3};

	client_begin(&client, &config);
	CHECK(client_patience(&client) == 300);
	make_ready(&client, &config, "250-x\r\n250 PIPELINING\r\n");
	CHECK(client_mail(&client, &mail));
	CHECK(client_rcpt(&client, "c@d", 3, NULL, 0));
	CHECK(client_patience(&client) == 300);
	client_written(&client, client.output_length);
	client_input(&client, "250 a\n250 b\n", 12);
	while (client_next(&client)->kind != CLIENT_READ)
		;
	client_data(&client);
	CHECK(client_patience(&client) == 120);
	client_written(&client, client.output_length);
	client_input(&client, "354 a\n", 6);
	CHECK(client_next(&client)->kind == CLIENT_DATA);
	CHECK(client_next(&client)->kind == CLIENT_READ);
	CHECK(client_patience(&client) == 180);
	CHECK(client_content_end(&client));
	CHECK(client_patience(&client) == 600);
	client_written(&client, client.output_length);
	client_input(&client, "250 a\n", 6);
	CHECK(client_next(&client)->kind == CLIENT_VERDICT);
	CHECK(client_next(&client)->kind == CLIENT_READ);
	client_quit(&client);
	CHECK(client_patience(&client) == 300);
}

/* What was not yet written when it failed is never written: no final dot. */
static void
failures(void)
{
	static const char *const before[] = {"354 a\n250", "354 a\n250 b\n"};
	static struct client client;
	struct client_config config = {.name = "me"};

	for (size_t i = 0; i < ROWS(before); i++) {
		make_ready(&client, &config, "250 x\r\n");
		client_data(&client);
		client_written(&client, client.output_length);
		client_input(&client, before[i], strlen(before[i]));
		CHECK_AT(client_next(&client)->kind == CLIENT_DATA, i);
		/* Half of a verdict has come, too, before the content went. */
		if (i == 0)
			CHECK(client_next(&client)->kind == CLIENT_READ);
		CHECK_AT(client_content_end(&client), i);
		CHECK_AT(client_next(&client)->kind == CLIENT_FAILED, i);
		CHECK_AT(client.output_length == 0, i);
		CHECK_AT(client.event.code == 451, i);
		CHECK_AT(!client_room(&client), i);
	}
}

static const struct {
	const char *ehlo;
	struct client_message message;
	const char *objection; /* NULL: said is what is said */
	const char *said;
} carried[] = {
    {"250 x\r\n", {.size = 5}, NULL, "MAIL FROM:<>\r\n"},
    {"250 x\r\n", {.eight_bit = true}, "554 5.6.3", NULL},
    {"250 x\r\n", {.needs_utf8 = true}, "550 5.6.7", NULL},
    {"250 x\r\n", {.wants_utf8 = true}, NULL, "MAIL FROM:<>\r\n"},
    {"250-x\r\n250 size 5\r\n", {.size = 5}, NULL, "MAIL FROM:<> SIZE=5\r\n"},
    {"250-x\r\n250 SIZE 5\r\n", {.size = 6}, "552 5.3.4", NULL},
    {"250-x\r\n250 SIZE 0\r\n", {.size = 6}, NULL, "MAIL FROM:<> SIZE=6\r\n"},
    {"250-x\r\n250 SIZE\r\n", {.size = 6}, NULL, "MAIL FROM:<> SIZE=6\r\n"},
    {"250-x\r\n250 SIZE 99999999999999999999\r\n", {.size = 6}, NULL,
	"MAIL FROM:<> SIZE=6\r\n"},
    {"250-x\r\n250 SIZE -1\r\n", {.size = 6}, NULL, "MAIL FROM:<> SIZE=6\r\n"},
    {"250-x\r\n250-8bitmime\r\n250 SMTPutf8\r\n",
	{.eight_bit = true, .wants_utf8 = true}, NULL,
	"MAIL FROM:<> BODY=8BITMIME SMTPUTF8\r\n"},
    {"250-x\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n", {.size = 0}, NULL,
	"MAIL FROM:<>\r\n"},
    /* The first line is a name; a keyword is a whole word. */
    {"250-8BITMIME\r\n250 8BITMIMEX\r\n", {.eight_bit = true}, "554 5.6.3",
	NULL},
    /* DSN: only where offered, only what is well formed, once. */
    {"250 x\r\n", {.options = "RET=FULL", .options_length = 8}, NULL,
	"MAIL FROM:<>\r\n"},
    {"250-x\r\n250 DSN\r\n",
	{.options = "BODY=7BIT RET=FULL RET=HDRS ENVID", .options_length = 33},
	NULL, "MAIL FROM:<> RET=FULL\r\n"},
    {"250-x\r\n250 DSN\r\n",
	{.options = "ENVID=a\r\nRCPT", .options_length = 13}, NULL,
	"MAIL FROM:<>\r\n"},
};

static void
what_is_carried(void)
{
	static struct client client;
	struct client_config config = {.name = "me"};

	for (size_t i = 0; i < ROWS(carried); i++) {
		const char *against, *want = carried[i].objection, *output;
		size_t length;

		make_ready(&client, &config, carried[i].ehlo);
		against = client_objection(&client, &carried[i].message);
		CHECK_AT(!want == !against, i);
		if (want) {
			CHECK_AT(strncmp(against, want, strlen(want)) == 0, i);
			continue;
		}
		CHECK_AT(client_mail(&client, &carried[i].message), i);
		output = client_output(&client, &length);
		CHECK_AT(length == strlen(carried[i].said) &&
			     memcmp(output, carried[i].said, length) == 0,
		    i);
	}
}

/* Accepted while the final dot is still here: no promise. A refusal counts. */
static void
early_verdicts(void)
{
	static struct client client;
	struct client_config config = {.name = "me"};
	struct client_message mail = {.sender = "a@b", .sender_length = 3};

	for (int code = 250; code <= 550; code += 300) {
		char verdict[32];

		make_ready(&client, &config, "250-x\r\n250 PIPELINING\r\n");
		CHECK(client_mail(&client, &mail));
		CHECK(client_rcpt(&client, "c@d", 3, NULL, 0));
		client_written(&client, client.output_length);
		client_input(&client, "250 a\n250 b\n", 12);
		CHECK(client_next(&client)->kind == CLIENT_SENDER);
		CHECK(client_next(&client)->kind == CLIENT_RECIPIENT);
		CHECK(client_next(&client)->kind == CLIENT_READ);
		client_data(&client);
		client_written(&client, client.output_length);
		client_input(&client, "354 a\n", 6);
		CHECK(client_next(&client)->kind == CLIENT_DATA);
		CHECK(client_next(&client)->kind == CLIENT_READ);
		CHECK(client_content_end(&client));
		client_written(&client, client.output_length - 1);
		client_input(
		    &client, verdict, (size_t)sprintf(verdict, "%d x\n", code));
		CHECK(client_next(&client)->code == (code == 250 ? 451 : code));
		CHECK(client.event.kind ==
		      (code == 250 ? CLIENT_FAILED : CLIENT_VERDICT));
	}
}

/* Granted while some of what was asked is still here: no promise, not even
 * where room for more is waited for. A refusal counts. */
static void
early_replies(void)
{
	static struct client client;
	struct client_config config = {.name = "me"};
	struct client_message mail = {.sender = "a@b", .sender_length = 3};

	for (int code = 250; code <= 550; code += 300) {
		char reply[32];
		size_t length = (size_t)sprintf(reply, "%d x\n", code);

		make_ready(&client, &config, "250-x\r\n250 PIPELINING\r\n");
		CHECK(client_mail(&client, &mail));
		CHECK(client_rcpt(&client, "c@d", 3, NULL, 0));
		client_written(&client, client.output_length - 1);
		client_input(&client, "250 s\n", 6);
		CHECK(client_next(&client)->kind == CLIENT_SENDER);
		CHECK(client_next(&client)->kind == CLIENT_READ);
		client_input(&client, reply, length);
		CHECK(client_next(&client)->code == (code == 250 ? 451 : code));
		CHECK(client.event.kind ==
		      (code == 250 ? CLIENT_FAILED : CLIENT_RECIPIENT));
	}
	make_ready(&client, &config, "250 x\r\n");
	client_reset(&client);
	client_input(&client, "250 x\n", 6);
	CHECK(client_next(&client)->kind == CLIENT_FAILED);
}

/* Any octets in any pieces: no trap, and no CR or LF alone comes out. */
static void
random_upstreams(void)
{
	static const char letters[] = "2250354 -\r\n\nx\0";
	static struct play play;

	for (int i = 0; i < 20000; i++) {
		struct script script = {"220 mx|" EHLO "250 s|250 r|354|250|",
		    i % 2 != 0, i % 3 ? NULL : "u", 1 + chance(3), "", ""};
		struct client_config config = {.name = "me",
		    .lmtp = script.lmtp,
		    .user = script.user,
		    .password = "p"};
		unsigned good = chance(7);
		char reply[256];

		memset(&play, 0, sizeof play);
		play.script = &script;
		play.next = script.replies;
		client_begin(&play.client, &config);
		for (unsigned n = 0; n < 12; n++) {
			size_t length =
			    n < good ? next_reply(&play, reply) : chance(40);

			for (size_t k = 0; n >= good && k < length; k++)
				reply[k] = letters[chance(sizeof letters - 1)];
			lend(&play, reply, length, 0);
			if (play.client.failed || play.client.gone)
				break;
		}
		if (chance(2))
			client_closed(&play.client);
		(void)client_next(&play.client);
		for (size_t k = 0; k < play.said_length; k++)
			CHECK((play.said[k] == '\n') ==
			      (k > 0 && play.said[k - 1] == '\r'));
	}
}

void
units_client(void)
{
	dialogues();
	garbage();
	limits();
	addresses();
	batches();
	longest();
	ends();
	patience();
	failures();
	what_is_carried();
	early_verdicts();
	early_replies();
	random_upstreams();
}
