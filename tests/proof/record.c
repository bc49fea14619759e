/* Rooms: record
 * Limits: RECORD_PACKET_MAX=48
 * Packets of LENGTH octets, which is more than two records, read from any place
 * on; records of any lengths, into a packet that has any. */
#include "record.h"

#include "prove.h"

enum { LENGTH = 36 };

/* True if all of it can be read. */
static void
look(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		(void)text[i];
}

static void
read(size_t length)
{
	const char *text = octets(length);
	struct record record;
	size_t at = 0;

	while (packet_next(text, length, &at, &record) > 0) {
		look(record.first, record.first_length);
		look(record.second, record.second_length);
	}
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
	for (size_t length = 0; length <= LENGTH; length++)
		read(length);
	//@ loop unroll 99;
	for (size_t kept = 0; kept <= RECORD_PACKET_MAX; kept += 16)
		//@ loop unroll 99;
		for (size_t first = 0; first <= RECORD_PACKET_MAX + 1; first += 7)
			//@ loop unroll 99;
			for (size_t second = 0; second <= RECORD_PACKET_MAX + 1; second += 7)
				write(kept, first, second);
}
