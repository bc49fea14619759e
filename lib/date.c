#include "date.h"

#include <string.h>

/* Both RFCs write years of four digits: what lies outside is held at the
 * first second of the year 0 or the last of 9999. */
#define FIRST_SECOND (-INT64_C(62167219200))
#define LAST_SECOND INT64_C(253402300799)

#define DAY_SECONDS 86400
#define ERA_DAYS 146097 /* 400 years: the calendar repeats */
/* From 1 March of the year 0 to 1 January 1970. */
#define EPOCH_DAYS 719468

struct civil {
	unsigned year, month, day; /* month 1 to 12, day 1 to 31 */
	unsigned weekday;          /* 0 is Sunday */
	unsigned hour, minute, second;
};

static const char weekdays[7][4] = {
    "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
    "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

/* The date of a day counted from 1 March of the year 0: with a year that
 * begins in March the leap day is its last, and no table of months is asked. */
static void
civil_from_days(struct civil *civil, int64_t days)
{
	/* January and February of the year 0 lie one era before. */
	int64_t era = (days + ERA_DAYS) / ERA_DAYS - 1;
	unsigned day = (unsigned)(days - era * ERA_DAYS);
	/* Leap days gone by: one in 4 years, not in 100, but in 400. */
	unsigned year =
	    (day - day / 1460 + day / 36524 - day / (ERA_DAYS - 1)) / 365;
	unsigned of_year = day - (365 * year + year / 4 - year / 100);
	/* Five months from March or August have 153 days. */
	unsigned month = (5 * of_year + 2) / 153;

	civil->day = of_year - (153 * month + 2) / 5 + 1;
	civil->month = (month + 2) % 12 + 1; /* month 0 is March */
	civil->year =
	    (unsigned)(era * 400 + year) + (civil->month <= 2 ? 1 : 0);
}

static struct civil
civil(int64_t seconds)
{
	struct civil civil = {0};

	if (seconds < FIRST_SECOND)
		seconds = FIRST_SECOND;
	if (seconds > LAST_SECOND)
		seconds = LAST_SECOND;
	seconds -= FIRST_SECOND; /* never negative from here */

	unsigned of_day = (unsigned)(seconds % DAY_SECONDS);
	int64_t days = seconds / DAY_SECONDS;
	civil.hour = of_day / 3600;
	civil.minute = of_day / 60 % 60;
	civil.second = of_day % 60;
	/* 1 January of the year 0 was a Saturday. */
	civil.weekday = (unsigned)((days + 6) % 7);
	civil_from_days(&civil, days + FIRST_SECOND / DAY_SECONDS + EPOCH_DAYS);
	return civil;
}

static char *
put_text(char *out, const char *text)
{
	size_t length = strlen(text);

	memcpy(out, text, length);
	return out + length;
}

/* value in decimal, with zeros in front up to width digits. */
static char *
put_digits(char *out, unsigned value, size_t width)
{
	for (size_t i = width; i > 0; value /= 10)
		out[--i] = (char)('0' + value % 10);
	return out + width;
}

static char *
put_time(char *out, const struct civil *when)
{
	out = put_digits(out, when->hour, 2);
	*out++ = ':';
	out = put_digits(out, when->minute, 2);
	*out++ = ':';
	return put_digits(out, when->second, 2);
}

size_t
date_rfc5322(int64_t seconds, char out[DATE_TEXT_MAX])
{
	struct civil when = civil(seconds);
	char *end = put_text(out, weekdays[when.weekday]);

	end = put_text(end, ", ");
	end = put_digits(end, when.day, 2);
	*end++ = ' ';
	end = put_text(end, months[when.month - 1]);
	*end++ = ' ';
	end = put_digits(end, when.year, 4);
	*end++ = ' ';
	end = put_time(end, &when);
	end = put_text(end, " +0000");
	*end = '\0';
	return (size_t)(end - out);
}

size_t
date_rfc3339(int64_t seconds, char out[DATE_TEXT_MAX])
{
	struct civil when = civil(seconds);
	char *end = put_digits(out, when.year, 4);

	*end++ = '-';
	end = put_digits(end, when.month, 2);
	*end++ = '-';
	end = put_digits(end, when.day, 2);
	*end++ = 'T';
	end = put_time(end, &when);
	*end++ = 'Z';
	*end = '\0';
	return (size_t)(end - out);
}
