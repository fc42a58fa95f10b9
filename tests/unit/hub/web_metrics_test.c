/* The metrics of one workload out of a device's text. */
#include "base/check.h"

#include <string.h>

#include "hub/web/metrics_rows.h"

static const struct pic_workload_name name = { "tiny-app", "ebpf" };

static void write_row(void *data, const struct pic_metrics_row *row)
{
	struct pic_buf *out = data;

	pic_buf_add(out, row->name.data, row->name.size);
	pic_buf_char(out, '|');
	pic_buf_add(out, row->labels.data, row->labels.size);
	pic_buf_char(out, '|');
	pic_buf_add(out, row->value.data, row->value.size);
	pic_buf_char(out, '\n');
}

static const char *rows_of(const char *text)
{
	static struct pic_buf out = PIC_BUF_INIT(1024 * 1024);

	pic_buf_clear(&out);
	pic_metrics_rows((struct pic_view){ text, strlen(text) }, &name, write_row, &out);
	return pic_buf_text(&out);
}

static void own_samples_are_found(void **state)
{
	(void)state;
	assert_string_equal(
		rows_of("# TYPE packets counter\n"
			"packets{instance=\"tiny-app\",component=\"ebpf\",protocol=\"tcp\"} 7\n"
			"packets{protocol=\"udp, }\\\" x\",component=\"ebpf\",instance=\"tiny-app\"} 8 123\n"
			"packets{instance=\"tiny-app\",component=\"other\"} 9\n"
			"packets{instance=\"tiny-ap\",component=\"ebpf\"} 9\n"
			"packets{component=\"ebpf\"} 9\n"
			"up 1\n"
			"last{instance=\"tiny-app\",component=\"ebpf\"} NaN"),
		"packets|protocol=tcp|7\n"
		"packets|protocol=udp, }\\\" x|8\n"
		"last||NaN\n");
}

static void damaged_lines_are_passed_over(void **state)
{
	(void)state;
	assert_string_equal(rows_of(""), "");
	assert_string_equal(rows_of("\n\n{\n}\na{\na{b\na{b=\na{b=\"\na{b=\"c\\\na{=\"x\"} 1\n"
				    "a{instance=\"tiny-app\",component=\"ebpf\"\n"
				    "a{instance=\"tiny-app\",component=\"ebpf\"}\n"
				    "a{instance=\"tiny-app\",component=\"ebpf\"}   \n"),
			    "");
}

static void rows_are_bounded(void **state)
{
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(1024 * 1024), out = PIC_BUF_INIT(1024 * 1024);

	(void)state;
	for (int i = 0; i < PIC_METRICS_ROWS_MAX + 50; i++)
		pic_buf_text_add(&text, "a{instance=\"tiny-app\",component=\"ebpf\"} 1\n");
	assert_int_equal(pic_metrics_rows(pic_buf_view(&text), &name, write_row, &out),
			 PIC_METRICS_ROWS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(own_samples_are_found),
		cmocka_unit_test(damaged_lines_are_passed_over),
		cmocka_unit_test(rows_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
