#include "record.h"

#include <string.h>

/* Both processes are one program on one machine: no byte order to mind. */
struct head {
	uint64_t number;
	uint32_t type;
	uint16_t first_length;
	uint16_t second_length;
};

size_t
record_put(const struct record *record, char *out, size_t room)
{
	struct head head = {.type = record->type, .number = record->number};
	char *at = out;

	if (record->first_length > RECORD_PACKET_MAX ||
	    record->second_length > RECORD_PACKET_MAX ||
	    sizeof head + record->first_length + record->second_length > room)
		return 0;
	head.first_length = (uint16_t)record->first_length;
	head.second_length = (uint16_t)record->second_length;
	memcpy(at, &head, sizeof head);
	at += sizeof head;
	if (record->first_length > 0)
		memcpy(at, record->first, record->first_length);
	at += record->first_length;
	if (record->second_length > 0)
		memcpy(at, record->second, record->second_length);
	at += record->second_length;
	return (size_t)(at - out);
}

bool
packet_add(struct packet *packet, const struct record *record)
{
	size_t used = record_put(record, packet->octets + packet->length,
	    sizeof packet->octets - packet->length);

	packet->length += used;
	return used > 0;
}

int
packet_next(const char *text, size_t length, size_t *at, struct record *record)
{
	struct head head;
	size_t left = length - *at;

	if (left == 0)
		return 0;
	if (left < sizeof head)
		return -1;
	memcpy(&head, text + *at, sizeof head);
	left -= sizeof head;
	if (head.type < RECORD_HELO || head.type > RECORD_REPLY ||
	    (size_t)head.first_length + head.second_length > left)
		return -1;
	*record = (struct record){
	    .type = (enum record_type)head.type,
	    .number = head.number,
	    .first = text + *at + sizeof head,
	    .first_length = head.first_length,
	    .second = text + *at + sizeof head + head.first_length,
	    .second_length = head.second_length,
	};
	if (memchr(record->first, '\0',
		record->first_length + record->second_length))
		return -1;
	*at += sizeof head + record->first_length + record->second_length;
	return 1;
}
