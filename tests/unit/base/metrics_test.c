#include <math.h>

#include "base/check.h"
#include "base/metrics.h"

static void writes_families_and_samples(void **state)
{
	PIC_BUF struct pic_buf out = PIC_BUF_INIT(4096);
	struct pic_label labels[] = { { "name", "a\"b\\c\nd\xff" }, { "none", NULL } };

	(void)state;
	pic_metrics_family(&out, "x_total", "counter", "Back\\slash\nand line");
	pic_metrics_sample(&out, "x_total", NULL, 0, 3);
	pic_metrics_sample(&out, "x_total", labels, 2, 0.1);
	assert_string_equal(out.data, "# HELP x_total Back\\\\slash\\nand line\n"
				      "# TYPE x_total counter\n"
				      "x_total 3\n"
				      "x_total{name=\"a\\\"b\\\\c\\nd\\\\xff\",none=\"\"} 0.1\n");
}

static void writes_all_numbers(void **state)
{
	static const struct {
		double value;
		const char *text;
	} cases[] = {
		{ 0, "x 0\n" },
		{ 1795528800, "x 1795528800\n" },
		{ -1.5, "x -1.5\n" },
		{ 9007199254740993.0, "x 9007199254740992\n" },
		{ NAN, "x NaN\n" },
		{ INFINITY, "x +Inf\n" },
		{ -INFINITY, "x -Inf\n" },
		{ 1e300, "x 1e+300\n" },
	};

	(void)state;
	for (size_t i = 0; i < PIC_COUNT(cases); i++) {
		PIC_BUF struct pic_buf out = PIC_BUF_INIT(64);

		pic_metrics_sample(&out, "x", NULL, 0, cases[i].value);
		assert_string_equal(out.data, cases[i].text);
	}
}

static void fails_when_full(void **state)
{
	PIC_BUF struct pic_buf out = PIC_BUF_INIT(20);
	struct pic_label label = { "name", "a value that is far too long for this" };

	(void)state;
	pic_metrics_sample(&out, "x", &label, 1, 1);
	assert_true(pic_buf_check(&out, "metrics", NULL) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_families_and_samples),
		cmocka_unit_test(writes_all_numbers),
		cmocka_unit_test(fails_when_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
