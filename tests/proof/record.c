/* Rooms: record
 * Limits: RECORD_PACKET_MAX=22
 * Octets: followed
 * A record with texts up to LENGTH octets, or that says so, at any place of a
 * packet; records of any lengths, into a packet that has any. */
#include "record.h"

#include "prove.h"

/* What is read and written as a head, by record.c. */
struct head {
	uint64_t number;
	uint32_t type;
	uint16_t first_length, second_length;
};

enum { HEAD = sizeof(struct head), LENGTH = RECORD_PACKET_MAX - HEAD };

/* One record from the end of a packet, whose head is all there. */
static void
read(size_t left, uint16_t first, uint16_t second)
{
	struct head head = {.first_length = first, .second_length = second};
	size_t length = RECORD_PACKET_MAX, at = length - left;
	char *text = octets(length);
	struct record record;

	ANYTHING(head.number);
	ANYTHING(head.type);
	memcpy(text + at, &head, sizeof head);
	if (packet_next(text, length, &at, &record) > 0 && at > 0)
		(void)text[at - 1];
}

/* There is not even a head. */
static void
read_part(size_t left)
{
	char *text = octets(left);
	struct record record;
	size_t at = 0;

	(void)packet_next(text, left, &at, &record);
}

static void
write(size_t kept, size_t first, size_t second)
{
	struct packet packet = {.length = kept};
	struct record record = {
	    .type = RECORD_HELO,
	    .first = first > 0 ? octets(first) : NULL,
	    .first_length = first,
	    .second = second > 0 ? octets(second) : NULL,
	    .second_length = second,
	};

	if (packet_add(&packet, &record))
		(void)packet.octets[packet.length - 1];
}

void
prove(void)
{
	//@ loop unroll 99;
	for (size_t left = 0; left < HEAD; left++)
		read_part(left);
	//@ loop unroll 99;
	for (uint16_t one = 0; one <= LENGTH + 1; one++) {
		//@ loop unroll 99;
		for (uint16_t other = 0; other <= LENGTH + 1; other++) {
			//@ loop unroll 99;
			for (size_t n = 0; n <= LENGTH; n++)
				read(HEAD + n, one, other);
			write(0, one, other);
			write(HEAD, one, other);
			write(RECORD_PACKET_MAX, one, other);
		}
	}
}
