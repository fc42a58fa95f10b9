#include <errno.h>
#include <time.h>

#include "base/check.h"
#include "base/cleanup.h"
#include "base/clock.h"

static void formats_and_parses_alike(void **state)
{
	char text[PIC_TIME_TEXT];
	uint64_t seed = 7;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		int64_t back = 0;
		int64_t at =
			(int64_t)(((uint64_t)check_random(&seed) << 6) % 253402300799ULL) * 1000;

		pic_time_format(at, text);
		assert_int_equal(pic_time_parse(text, &back), 0);
		assert_true(back == at);
	}
}

static void parses_fraction_and_offset(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;
	} good[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "1970-01-01T00:00:00.5Z", 500 },
		{ "1970-01-01T00:00:00.123456789Z", 123 },
		{ "1970-01-01T02:00:00+02:00", 0 },
		{ "1969-12-31T19:00:00-05:00", 0 },
		{ "2024-02-29t12:00:00z", 1709208000000 },
		{ "2000-02-29T00:00:00Z", 951782400000 },
		{ "2016-12-31T23:59:60Z", 1483228800000 },
	};

	(void)state;
	for (size_t i = 0; i < PIC_COUNT(good); i++) {
		int64_t ms = -1;

		assert_int_equal(pic_time_parse(good[i].text, &ms), 0);
		assert_true(ms == good[i].ms);
	}
}

static void refuses_what_is_no_time(void **state)
{
	static const char *const bad[] = {
		"",
		"2026",
		"2026-11-24",
		"2026-11-24T14:00:00",
		"2026-13-01T00:00:00Z",
		"2026-02-29T00:00:00Z",
		"1900-02-29T00:00:00Z",
		"2026-01-00T00:00:00Z",
		"2026-01-01T24:00:00Z",
		"2026-01-01T00:60:00Z",
		"2026-01-01T00:00:00.Z",
		"2026-01-01T00:00:00Z ",
		"2026-01-01 00:00:00Z",
		"2026-1-1T00:00:00Z",
		"2026-01-01T00:00:00+25:00",
		"+026-01-01T00:00:00Z",
		"2026-01-01T00:00:00+0200",
	};
	int64_t ms = 7;

	(void)state;
	for (size_t i = 0; i < PIC_COUNT(bad); i++)
		assert_int_equal(pic_time_parse(bad[i], &ms), -EINVAL);
	assert_int_equal(pic_time_parse(NULL, &ms), -EINVAL);
	assert_true(ms == 7);
}

static void durations(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;
	} good[] = { { "90s", 90000 },	   { "15m", 900000 }, { "2h", 7200000 },
		     { "1h30m", 5400000 }, { "500ms", 500 },  { "2d", 172800000 },
		     { "0", 0 },	   { "0s", 0 },	      { "1m500ms", 60500 } };
	static const char *const bad[] = {
		"", "5", "s", "-5s", "5 s", "1.5h", "5sec", "1h30", "h1"
	};
	int64_t ms;

	(void)state;
	for (size_t i = 0; i < PIC_COUNT(good); i++) {
		assert_int_equal(pic_duration_parse(good[i].text, &ms), 0);
		assert_true(ms == good[i].ms);
	}
	ms = 7;
	for (size_t i = 0; i < PIC_COUNT(bad); i++)
		assert_int_equal(pic_duration_parse(bad[i], &ms), -EINVAL);
	assert_int_equal(pic_duration_parse("99999999999999999999s", &ms), -ERANGE);
	assert_int_equal(pic_duration_parse("9223372036854775807d", &ms), -ERANGE);
	assert_true(ms == 7);
}

static void ages_as_kubectl_prints_them(void **state)
{
	static const struct {
		int64_t seconds;
		const char *text;
	} ages[] = {
		{ -5, "0s" },	      { 0, "0s" },	   { 119, "119s" },	 { 120, "2m" },
		{ 599, "9m59s" },     { 600, "10m" },	   { 10799, "179m" },	 { 10800, "3h" },
		{ 10860, "3h1m" },    { 28800, "8h" },	   { 172799, "47h" },	 { 172800, "2d" },
		{ 176400, "2d1h" },   { 691200, "8d" },	   { 63071999, "729d" }, { 63072000, "2y" },
		{ 63158400, "2y1d" }, { 252288000, "8y" },
	};
	char text[PIC_TIME_TEXT];

	(void)state;
	for (size_t i = 0; i < PIC_COUNT(ages); i++) {
		pic_duration_age(ages[i].seconds * 1000, text);
		assert_string_equal(text, ages[i].text);
	}
}

static void clocks_tell_a_time(void **state)
{
	int64_t before = pic_clock_boot_ms();

	(void)state;
	assert_true(pic_clock_boot_ms() >= before);
	assert_true(before > 0);
	assert_false(pic_clock_wall_is_set(0));
	assert_false(pic_clock_wall_is_set(1735689600000)); /* 2025 */
	assert_true(pic_clock_wall_is_set(1795528800000));  /* November 2026 */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(formats_and_parses_alike),
		cmocka_unit_test(parses_fraction_and_offset),
		cmocka_unit_test(refuses_what_is_no_time),
		cmocka_unit_test(durations),
		cmocka_unit_test(ages_as_kubectl_prints_them),
		cmocka_unit_test(clocks_tell_a_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
