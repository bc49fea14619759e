/* Rooms: date
 * Any time that there is. */
#include "date.h"

#include "prove.h"

void
prove(void)
{
	char text[DATE_TEXT_MAX];
	int64_t seconds;

	ANYTHING(seconds);
	(void)date_rfc5322(seconds, text);
	(void)date_rfc3339(seconds, text);
}
