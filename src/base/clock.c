#include "base/clock.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define SECOND_MS 1000LL
#define MINUTE_MS (60 * SECOND_MS)
#define HOUR_MS (60 * MINUTE_MS)
#define DAY_MS (24 * HOUR_MS)
#define RELEASE_MS 1767225600000LL /* 2026-01-01 */
#define LAST_MS 253402300799999LL  /* the end of 9999 */

static int64_t now_ms(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * SECOND_MS + now.tv_nsec / 1000000;
}

int64_t pic_clock_boot_ms(void)
{
	return now_ms(CLOCK_BOOTTIME);
}

int64_t pic_clock_wall_ms(void)
{
	return now_ms(CLOCK_REALTIME);
}

bool pic_clock_wall_is_set(int64_t wall_ms)
{
	return wall_ms >= RELEASE_MS;
}

/* Days since 1970 of a date of the Gregorian calendar; months count from March, so that the leap day
 * is the last day of a year. */
static int64_t days_of(int64_t year, int month, int day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t m = month <= 2 ? month + 9 : month - 3;

	return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468;
}

void pic_time_format(int64_t wall_ms, char out[PIC_TIME_TEXT])
{
	struct tm parts;
	time_t seconds;

	if (wall_ms < 0)
		wall_ms = 0;
	if (wall_ms > LAST_MS)
		wall_ms = LAST_MS;
	seconds = (time_t)(wall_ms / SECOND_MS);
	gmtime_r(&seconds, &parts);
	strftime(out, PIC_TIME_TEXT, "%Y-%m-%dT%H:%M:%SZ", &parts);
}

/* `count` digits, no sign and no blank; -1 when they are not there. */
static int digits(const char **text, int count)
{
	int value = 0;

	for (int i = 0; i < count; i++) {
		char c = (*text)[i];

		if (c < '0' || c > '9')
			return -1;
		value = value * 10 + (c - '0');
	}
	*text += count;
	return value;
}

static bool skip(const char **text, char a, char b)
{
	if (**text != a && **text != b)
		return false;
	(*text)++;
	return true;
}

static bool parse_date(const char **text, int64_t *days)
{
	static const int lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	int year, month, day, last;

	if ((year = digits(text, 4)) < 0 || !skip(text, '-', '-') ||
	    (month = digits(text, 2)) < 1 || month > 12 || !skip(text, '-', '-') ||
	    (day = digits(text, 2)) < 1)
		return false;
	last = lengths[month - 1];
	if (month == 2 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0))
		last = 29;
	if (day > last)
		return false;
	*days = days_of(year, month, day);
	return true;
}

static bool parse_fraction(const char **text, int64_t *ms)
{
	int64_t unit = 100;

	*ms = 0;
	if (**text != '.')
		return true;
	(*text)++;
	if (**text < '0' || **text > '9')
		return false;
	for (; **text >= '0' && **text <= '9'; (*text)++, unit /= 10)
		*ms += (**text - '0') * unit;
	return true;
}

static bool parse_clock(const char **text, int64_t *ms)
{
	int hour, minute, second;
	int64_t fraction;

	if ((hour = digits(text, 2)) < 0 || hour > 23 || !skip(text, ':', ':') ||
	    (minute = digits(text, 2)) < 0 || minute > 59 || !skip(text, ':', ':') ||
	    (second = digits(text, 2)) < 0 || second > 60 || !parse_fraction(text, &fraction))
		return false;
	*ms = hour * HOUR_MS + minute * MINUTE_MS + second * SECOND_MS + fraction;
	return true;
}

static bool parse_offset(const char **text, int64_t *ms)
{
	int sign = **text == '-' ? -1 : 1;
	int hour, minute;

	*ms = 0;
	if (skip(text, 'Z', 'z'))
		return true;
	if (!skip(text, '+', '-') || (hour = digits(text, 2)) < 0 || hour > 23 ||
	    !skip(text, ':', ':') || (minute = digits(text, 2)) < 0 || minute > 59)
		return false;
	*ms = sign * (hour * HOUR_MS + minute * MINUTE_MS);
	return true;
}

int pic_time_parse(const char *text, int64_t *wall_ms)
{
	int64_t days, clock, offset;

	if (!text || !parse_date(&text, &days) || !skip(&text, 'T', 't') ||
	    !parse_clock(&text, &clock) || !parse_offset(&text, &offset) || *text != '\0')
		return -EINVAL;
	*wall_ms = days * DAY_MS + clock - offset;
	return 0;
}

/* The unit at *text, in ms; 0 when there is none. */
static int64_t unit_ms(const char **text)
{
	static const struct {
		const char *name;
		int64_t ms;
	} units[] = { { "ms", 1 },
		      { "s", SECOND_MS },
		      { "m", MINUTE_MS },
		      { "h", HOUR_MS },
		      { "d", DAY_MS } };

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		size_t size = strlen(units[i].name);

		if (strncmp(*text, units[i].name, size) == 0) {
			*text += size;
			return units[i].ms;
		}
	}
	return 0;
}

int pic_duration_parse(const char *text, int64_t *ms)
{
	int64_t sum = 0;
	bool overflow = false;

	if (!text || *text == '\0')
		return -EINVAL;
	if (strcmp(text, "0") == 0) {
		*ms = 0;
		return 0;
	}
	while (*text != '\0') {
		int64_t number = 0, unit;

		if (*text < '0' || *text > '9')
			return -EINVAL;
		for (; *text >= '0' && *text <= '9'; text++)
			overflow |= __builtin_mul_overflow(number, 10, &number) ||
				    __builtin_add_overflow(number, *text - '0', &number);
		unit = unit_ms(&text);
		if (unit == 0)
			return -EINVAL;
		overflow |= __builtin_mul_overflow(number, unit, &number) ||
			    __builtin_add_overflow(sum, number, &sum);
	}
	if (overflow)
		return -ERANGE;
	*ms = sum;
	return 0;
}

static void two_units(char out[PIC_TIME_TEXT], int64_t large, char a, int64_t small, char b)
{
	if (small == 0)
		snprintf(out, PIC_TIME_TEXT, "%lld%c", (long long)large, a);
	else
		snprintf(out, PIC_TIME_TEXT, "%lld%c%lld%c", (long long)large, a, (long long)small,
			 b);
}

void pic_duration_age(int64_t ms, char out[PIC_TIME_TEXT])
{
	int64_t seconds = ms < 0 ? 0 : ms / SECOND_MS;
	int64_t minutes = seconds / 60, hours = minutes / 60, days = hours / 24, years = days / 365;

	if (seconds < 120)
		two_units(out, seconds, 's', 0, 0);
	else if (minutes < 10)
		two_units(out, minutes, 'm', seconds % 60, 's');
	else if (minutes < 180)
		two_units(out, minutes, 'm', 0, 0);
	else if (hours < 8)
		two_units(out, hours, 'h', minutes % 60, 'm');
	else if (hours < 48)
		two_units(out, hours, 'h', 0, 0);
	else if (days < 8)
		two_units(out, days, 'd', hours % 24, 'h');
	else if (years < 2)
		two_units(out, days, 'd', 0, 0);
	else if (years < 8)
		two_units(out, years, 'y', days % 365, 'd');
	else
		two_units(out, years, 'y', 0, 0);
}
