#include "hub/campaign/schedule.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"

#define ZONE_FOLDER "/usr/share/zoneinfo/"
#define ZONE_MAX 64

void pic_schedule_prepare(void)
{
	/* replacing a variable later moves nothing that another thread could be reading */
	setenv("TZ", getenv("TZ") ? getenv("TZ") : ":/etc/localtime", 1);
	tzset();
}

/* The earlier era's short names mean the cities. */
static const char *full_zone(const char *zone)
{
	static const char *const names[][2] = {
		{ "PST", "America/Los_Angeles" }, { "PDT", "America/Los_Angeles" },
		{ "EST", "America/New_York" },	  { "EDT", "America/New_York" },
		{ "CST", "America/Chicago" },	  { "CDT", "America/Chicago" },
		{ "MST", "America/Denver" },	  { "MDT", "America/Denver" },
	};

	for (size_t i = 0; i < PIC_COUNT(names); i++)
		if (strcmp(names[i][0], zone) == 0)
			return names[i][1];
	return zone;
}

static bool is_local(const char *zone)
{
	return !*zone || strcasecmp(zone, "local") == 0;
}

/* A name, and a file that the machine has for it. */
static int check_zone(const char *zone, struct pic_error *err)
{
	char path[sizeof(ZONE_FOLDER) + ZONE_MAX];

	if (is_local(zone))
		return 0;
	if (strlen(zone) > ZONE_MAX || *zone == '/' || strstr(zone, "..") ||
	    strspn(zone, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/") !=
		    strlen(zone))
		return pic_error_set(err, -EINVAL, "\"%.64s\" is not the name of a time zone",
				     zone);
	snprintf(path, sizeof(path), ZONE_FOLDER "%s", zone);
	if (access(path, R_OK) < 0 && strcmp(zone, "UTC") != 0)
		return pic_error_set(err, -EINVAL,
				     "this machine knows no time zone \"%.64s\" (is tzdata "
				     "installed?); a time such as 2026-11-24T16:00:00-08:00 "
				     "needs none",
				     zone);
	return 0;
}

static int64_t in_zone(struct tm *parts, const char *zone)
{
	PIC_FREE char *before = strdup(getenv("TZ") ? getenv("TZ") : ":/etc/localtime");
	char text[ZONE_MAX + 2];

	if (!before)
		return -1;
	snprintf(text, sizeof(text), ":%s", zone);
	if (!is_local(zone)) {
		setenv("TZ", text, 1);
		tzset();
	}
	parts->tm_isdst = -1;
	time_t seconds = mktime(parts);
	if (!is_local(zone)) {
		setenv("TZ", before, 1);
		tzset();
	}
	return seconds == (time_t)-1 ? -1 : (int64_t)seconds * 1000;
}

/* "2006-01-02" */
static bool read_date(const char *text, struct tm *out)
{
	int used = 0;

	return sscanf(text, "%4d-%2d-%2d%n", &out->tm_year, &out->tm_mon, &out->tm_mday, &used) ==
		       3 &&
	       !text[used] && out->tm_year >= 1970 && out->tm_mon >= 1 && out->tm_mon <= 12 &&
	       out->tm_mday >= 1 && out->tm_mday <= 31;
}

/* "3:04:05PM" */
static bool read_time(const char *text, struct tm *out)
{
	char half[3] = "";
	int used = 0;

	if (sscanf(text, "%2d:%2d:%2d%n", &out->tm_hour, &out->tm_min, &out->tm_sec, &used) != 3)
		return false;
	while (text[used] == ' ')
		used++;
	if (strlen(text + used) != 2)
		return false;
	snprintf(half, sizeof(half), "%s", text + used);
	if ((strcasecmp(half, "AM") != 0 && strcasecmp(half, "PM") != 0) || out->tm_hour < 1 ||
	    out->tm_hour > 12 || out->tm_min < 0 || out->tm_min > 59 || out->tm_sec < 0 ||
	    out->tm_sec > 59)
		return false;
	out->tm_hour = out->tm_hour % 12 + (toupper((unsigned char)*half) == 'P' ? 12 : 0);
	return true;
}

static int parse_parts(const struct pic_json *schedule, int64_t *out_ms, struct pic_error *err)
{
	const char *date = pic_json_text_or(pic_json_get(schedule, "date"), "");
	const char *time = pic_json_text_or(pic_json_get(schedule, "time"), "");
	const char *zone = full_zone(pic_json_text_or(pic_json_get(schedule, "zone"), ""));
	struct tm parts = { 0 };
	int r;

	if (!read_date(date, &parts))
		return pic_error_set(err, -EINVAL, "date must be like 2026-11-24, not \"%.40s\"",
				     date);
	if (!read_time(time, &parts))
		return pic_error_set(err, -EINVAL, "time must be like 4:30:00PM, not \"%.40s\"",
				     time);
	r = check_zone(zone, err);
	if (r < 0)
		return r;
	int day = parts.tm_mday;
	parts.tm_year -= 1900;
	parts.tm_mon -= 1;
	int64_t ms = in_zone(&parts, zone);
	if (ms < 0 || parts.tm_mday != day)
		return pic_error_set(err, -EINVAL, "there is no %s %.20s", date, time);
	*out_ms = ms;
	return 0;
}

int pic_schedule_parse(const struct pic_json *schedule, int64_t *out_ms, struct pic_error *err)
{
	const char *text = pic_json_text(schedule);

	if (pic_json_type(schedule) <= PIC_JSON_NULL || (text && !*text)) {
		*out_ms = 0;
		return 0;
	}
	if (pic_json_type(schedule) == PIC_JSON_OBJECT)
		return parse_parts(schedule, out_ms, err);
	if (!text || pic_time_parse(text, out_ms) < 0)
		return pic_error_set(err, -EINVAL,
				     "must be a time such as 2026-11-24T16:00:00-08:00, or "
				     "{date: 2026-11-24, time: 4:00:00PM, zone: "
				     "America/Los_Angeles}");
	return 0;
}
