/* Units of the counting of Received: lines. */
#include "hops.h"

#include <string.h>

#include "units.h"

static const struct {
	const char *text;
	size_t count;
} rows[] = {
    {"", 0},
    {"Received: a\n\n", 1},
    {"Received: a\r\n\r\n", 1},
    {"received: a\nRECEIVED: b\nReCeIvEd: c\n\n", 3},
    {"Received:", 1},
    {"Received", 0},
    {"Received : a\n", 0},
    {"Received-SPF: pass\n", 0},
    {"X-Received: a\n", 0},
    {" Received: folded\n", 0},
    {"To: x\n\tReceived: folded\nReceived: a\n", 1},
    {"ReceivedReceived: a\n", 0},
    {"Re\nceived: a\n", 0},
    {"Subject: Received: a\n", 0},
    {"Received: a\nSubject: x\nReceived: b\n\nbody\n", 2},
    {"\nReceived: body\n", 0}, /* behind the header */
    {"\r\nReceived: body\r\n", 0},
    {"Received: a\r\n\r\nReceived: body\r\n\r\nReceived: c\r\n", 1},
    {"Received: a\n\n\nReceived: body\n", 1},
    {"body without header\nReceived: a\n", 1},
};

void
units_hops(void)
{
	for (size_t i = 0; i < ROWS(rows); i++) {
		size_t length = strlen(rows[i].text);

		for (size_t cut = 0; cut <= length; cut++) {
			struct hops hops = {0};

			hops_count(&hops, rows[i].text, cut);
			hops_count(&hops, rows[i].text + cut, length - cut);
			CHECK_AT(hops.count == rows[i].count, i);
		}
		struct hops hops = {0};
		for (size_t at = 0; at < length; at++)
			hops_count(&hops, rows[i].text + at, 1);
		CHECK_AT(hops.count == rows[i].count, i);
	}
}
