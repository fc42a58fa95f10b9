/* Several strangers' metrics become one exposition, and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "agent/metrics/figures.h"
#include "base/cleanup.h"

static const struct pic_workload_name one = { "app", "probe" }, two = { "app", "other" };

static void is_written_as(const struct pic_figures *figures, const char *wanted)
{
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(4 * PIC_FIGURES_TEXT_MAX);

	pic_figures_write(figures, &text);
	assert_string_equal(pic_buf_text(&text), wanted);
}

static void two_workloads_share_a_family(void **state)
{
	static const char first[] = "# HELP packets_total Packets \\\\ seen\n"
				    "# TYPE packets_total counter\n"
				    "packets_total{proto=\"tcp\"} 12\n"
				    "packets_total 1.5e+06\n";
	static const char second[] = "# TYPE lag_seconds histogram\n"
				     "lag_seconds_bucket{le=\"0.5\"} 1\n"
				     "lag_seconds_bucket{le=\"+Inf\"} 2\n"
				     "lag_seconds_sum 0.7\nlag_seconds_count 2\n"
				     "# TYPE packets_total counter\n"
				     "packets_total{instance=\"x\",component=\"y\\\"}\\n\"} NaN\n";
	struct pic_figures *figures = pic_figures_new();

	(void)state;
	pic_figures_add(figures, &one, first, sizeof(first) - 1);
	pic_figures_add(figures, &two, second, sizeof(second) - 1);
	assert_int_equal(pic_figures_dropped(figures), 0);
	is_written_as(figures,
		      "# HELP packets_total Packets \\\\ seen\n"
		      "# TYPE packets_total counter\n"
		      "packets_total{instance=\"app\",component=\"probe\",proto=\"tcp\"} 12\n"
		      "packets_total{instance=\"app\",component=\"probe\"} 1.5e+06\n"
		      "packets_total{instance=\"app\",component=\"other\",exported_instance=\"x\","
		      "exported_component=\"y\\\"}\\n\"} NaN\n"
		      "# TYPE lag_seconds histogram\n"
		      "lag_seconds_bucket{instance=\"app\",component=\"other\",le=\"0.5\"} 1\n"
		      "lag_seconds_bucket{instance=\"app\",component=\"other\",le=\"+Inf\"} 2\n"
		      "lag_seconds_sum{instance=\"app\",component=\"other\"} 0.7\n"
		      "lag_seconds_count{instance=\"app\",component=\"other\"} 2\n");
	pic_figures_free(figures);
}

/* Each of these lines, behind a good family, is left out and counted. */
static void what_is_not_well_formed_is_left_out(void **state)
{
	static const char *const bad[] = {
		"x_total",
		"x_total ",
		"x_total 1 2",
		"x_total  1",
		"x_total one",
		"x_total 0x10",
		"x_total{ 1",
		"x_total{a} 1",
		"x_total{a=\"b} 1",
		"x_total{a=\"b\"c=\"d\"} 1",
		"x_total{1=\"b\"} 1",
		"x_total{a=\"\\x\"} 1",
		"x_total{a=\"\\",
		"x_total{a=\"\x1b[2J\"} 1",
		"x_total{a=\"\xff\"} 1",
		"y_total 1",
		"x_total_bucket 1",
		"# TYPE piccolo_agent_connected gauge",
		"# TYPE x_total gauge",
		"# TYPE x_total",
		"# TYPE 1x counter",
		"# HELP x_total a \\q",
		"piccolo_agent_connected 1",
	};

	(void)state;
	for (size_t i = 0; i < PIC_COUNT(bad); i++) {
		struct pic_figures *figures = pic_figures_new();
		PIC_BUF struct pic_buf text = PIC_BUF_INIT(4096);

		pic_buf_format(&text, "# TYPE x_total counter\nx_total 7\n%s\n", bad[i]);
		pic_figures_add(figures, &one, text.data, text.size);
		if (pic_figures_dropped(figures) != 1)
			fail_msg("'%s' was taken", bad[i]);
		is_written_as(figures, "# TYPE x_total counter\n"
				       "x_total{instance=\"app\",component=\"probe\"} 7\n");
		pic_figures_free(figures);
	}
}

static void a_family_of_another_type_is_not_mixed_in(void **state)
{
	static const char first[] = "# TYPE x counter\nx 1\n", second[] = "# TYPE x gauge\nx 2\n";
	struct pic_figures *figures = pic_figures_new();

	(void)state;
	pic_figures_add(figures, &one, first, sizeof(first) - 1);
	pic_figures_add(figures, &two, second, sizeof(second) - 1);
	assert_int_equal(pic_figures_dropped(figures), 2);
	is_written_as(figures, "# TYPE x counter\nx{instance=\"app\",component=\"probe\"} 1\n");
	pic_figures_free(figures);
}

static void there_is_a_limit(void **state)
{
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(4 * PIC_FIGURES_TEXT_MAX);
	struct pic_figures *figures = pic_figures_new();

	(void)state;
	pic_buf_text_add(&text, "# TYPE x counter\n");
	for (int i = 0; i < PIC_FIGURES_SERIES_MAX + 10; i++)
		pic_buf_format(&text, "x{n=\"%d\"} 1\n", i);
	for (int i = 0; i < PIC_FIGURES_FAMILIES_MAX + 10; i++)
		pic_buf_format(&text, "# TYPE f%d gauge\n", i);
	pic_buf_text_add(&text, "x 1"); /* cut off */
	pic_figures_add(figures, &one, text.data, text.size);
	assert_int_equal(pic_figures_dropped(figures), 10 + 11 + 1);
	pic_figures_free(figures);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_workloads_share_a_family),
		cmocka_unit_test(what_is_not_well_formed_is_left_out),
		cmocka_unit_test(a_family_of_another_type_is_not_mixed_in),
		cmocka_unit_test(there_is_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
