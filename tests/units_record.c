/* Units of the records between the two processes: the reader believes
 * nothing. */
#include "record.h"

#include <stdlib.h>
#include <string.h>

#include "units.h"

static const struct {
	enum record_type type;
	uint64_t number;
	const char *first, *second;
} rows[] = {
    {RECORD_HELO, 1, "client.example", ""},
    {RECORD_MAIL, 0, "a@b", "SIZE=1 BODY=8BITMIME"},
    {RECORD_MAIL, 0, "", ""},
    {RECORD_RCPT, 0, "c@d", ""},
    {RECORD_CONTENT, UINT64_MAX, "", ""},
    {RECORD_SAID, 0, "\x01\x7f\x80\xff", "\r\n"},
    {RECORD_MESSAGE, 0, "", "x"},
    {RECORD_REPLY, 42, "250 2.0.0 OK\n", ""},
};

static void
fill(struct packet *packet)
{
	*packet = (struct packet){0};
	for (size_t i = 0; i < ROWS(rows); i++) {
		struct record record = {
		    .type = rows[i].type,
		    .number = rows[i].number,
		    .first = rows[i].first,
		    .first_length = strlen(rows[i].first),
		    .second = rows[i].second,
		    .second_length = strlen(rows[i].second),
		};

		CHECK_AT(packet_add(packet, &record), i);
	}
}

static bool
is(const char *text, size_t length, const char *want)
{
	return length == strlen(want) && memcmp(text, want, length) == 0;
}

/* Takes all; how many, or -1. */
static int
take(const char *text, size_t length)
{
	struct record record;
	size_t at = 0, before = 0;
	int count = 0, result;

	while ((result = packet_next(text, length, &at, &record)) == 1) {
		const char *end = text + length;

		count++;
		CHECK(at > before && at <= length);
		CHECK(record.first >= text &&
		      record.first + record.first_length <= end);
		CHECK(record.second >= text &&
		      record.second + record.second_length <= end);
		before = at;
	}
	return result < 0 ? -1 : count;
}

static void
records_are_read_back(void)
{
	struct packet packet;
	struct record record;
	size_t at = 0;

	fill(&packet);
	for (size_t i = 0; i < ROWS(rows); i++) {
		CHECK_AT(packet_next(
			     packet.octets, packet.length, &at, &record) == 1,
		    i);
		CHECK_AT(record.type == rows[i].type, i);
		CHECK_AT(record.number == rows[i].number, i);
		CHECK_AT(
		    is(record.first, record.first_length, rows[i].first), i);
		CHECK_AT(
		    is(record.second, record.second_length, rows[i].second), i);
	}
	CHECK(packet_next(packet.octets, packet.length, &at, &record) == 0);
	CHECK(at == packet.length);
}

/* Cut anywhere: a shorter packet where a record ended, else none at all. */
static void
truncations_are_seen(void)
{
	static struct packet packet;
	size_t ends[ROWS(rows) + 1] = {0}, count = 0, at = 0;
	struct record record;

	fill(&packet);
	while (packet_next(packet.octets, packet.length, &at, &record) == 1)
		ends[++count] = at;
	for (size_t n = 0, whole = 0; n <= packet.length; n++) {
		char *copy = exactly(packet.octets, n);

		if (whole < count && n == ends[whole + 1])
			whole++;
		CHECK_AT(
		    take(copy, n) == (n == ends[whole] ? (int)whole : -1), n);
		free(copy);
	}
}

static void
types_and_nuls_are_refused(void)
{
	struct record record = {.type = RECORD_HELO};
	struct packet packet;

	for (int type = -1; type <= RECORD_REPLY + 2; type++) {
		packet = (struct packet){0};
		record.type = (enum record_type)type;
		CHECK(packet_add(&packet, &record));
		CHECK_AT(
		    take(packet.octets, packet.length) ==
			(type >= RECORD_HELO && type <= RECORD_REPLY ? 1 : -1),
		    type);
	}
	record = (struct record){
	    .type = RECORD_MAIL, .first = "a\0b", .first_length = 3};
	packet = (struct packet){0};
	CHECK(packet_add(&packet, &record));
	CHECK(take(packet.octets, packet.length) == -1);
	record = (struct record){
	    .type = RECORD_MAIL, .second = "\0", .second_length = 1};
	packet = (struct packet){0};
	CHECK(packet_add(&packet, &record));
	CHECK(take(packet.octets, packet.length) == -1);
}

/* RECORD_PACKET_MAX and one more; what does not fit leaves no trace. */
static void
packets_fill_up(void)
{
	static char text[2 * RECORD_PACKET_MAX];
	static struct packet packet;
	struct record record = {.type = RECORD_MAIL, .first = text};
	size_t head;

	memset(text, 'x', sizeof text);
	CHECK(packet_add(&packet, &record));
	head = packet.length;
	for (size_t first = 0; first < 2; first++)
		for (size_t extra = 0; extra < 2; extra++) {
			size_t n = RECORD_PACKET_MAX - head + extra;

			record = (struct record){.type = RECORD_MAIL,
			    .first = text,
			    .first_length = first ? n : 0,
			    .second = text,
			    .second_length = first ? 0 : n};
			packet.length = 0;
			CHECK_AT(packet_add(&packet, &record) == !extra, n);
			CHECK_AT(
			    packet.length == (extra ? 0 : RECORD_PACKET_MAX),
			    n);
			CHECK_AT(
			    take(packet.octets, packet.length) == !extra, n);
		}
	/* Lengths whose sum, or whose lower 16 bits, would fit. */
	record = (struct record){.type = RECORD_MAIL,
	    .first = text,
	    .first_length = SIZE_MAX - 8,
	    .second = text,
	    .second_length = 16};
	packet.length = 0;
	CHECK(!packet_add(&packet, &record));
	record.first_length = 65536;
	record.second_length = 0;
	CHECK(!packet_add(&packet, &record));
	record.first_length = 0;
	record.second_length = 65537;
	CHECK(!packet_add(&packet, &record));
	CHECK(packet.length == 0);
	/* A full packet takes no more, and stays as it is. */
	record.second_length = RECORD_PACKET_MAX - 2 * head;
	CHECK(packet_add(&packet, &record));
	record.second_length = 1;
	CHECK(!packet_add(&packet, &record));
	record.second_length = 0;
	CHECK(packet_add(&packet, &record));
	CHECK(packet.length == RECORD_PACKET_MAX);
	CHECK(!packet_add(&packet, &record));
	CHECK(take(packet.octets, packet.length) == 2);
}

/* Random octets, and a good packet with a few of them changed. */
static void
random_packets(void)
{
	static struct packet packet;

	for (int i = 0; i < 20000; i++) {
		size_t length;
		char *copy;

		fill(&packet);
		if (i % 2) {
			packet.length = chance(64);
			for (size_t k = 0; k < packet.length; k++)
				packet.octets[k] = (char)chance(
				    chance(2) ? 256 : RECORD_REPLY + 1);
		} else {
			for (size_t k = 0; k < 3; k++)
				packet.octets[chance((unsigned)packet.length)] =
				    (char)chance(256);
		}
		length = packet.length;
		copy = exactly(packet.octets, length);
		CHECK_AT(take(copy, length) <= (int)ROWS(rows), i);
		free(copy);
	}
}

void
units_record(void)
{
	records_are_read_back();
	truncations_are_seen();
	types_and_nuls_are_refused();
	packets_fill_up();
	random_packets();
}
