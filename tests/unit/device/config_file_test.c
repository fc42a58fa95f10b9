/* What joining writes into the configuration file, and what it leaves alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/cleanup.h"
#include "device/config_file.h"

static const struct pic_config_value values[] = {
	{ "hub", "https://h" },
	{ "target", "box" },
	{ "tls-pin", NULL },
};

static void merges(void **state)
{
	static const struct {
		const char *before, *after;
	} table[] = {
		{ "", "hub = https://h\ntarget = box\n" },
		{ "# mine\nmetrics = off\n",
		  "# mine\nmetrics = off\nhub = https://h\ntarget = box\n" },
		{ "hub = old\nmetrics = off\n\nhub=older\n",
		  "hub = https://h\nmetrics = off\n\ntarget = box\n" },
		{ "#hub = x\nhubris = y\n\ttarget\t=z",
		  "#hub = x\nhubris = y\ntarget = box\nhub = https://h\n" },
		{ "tls-pin = sha256:1\ntarget = box\nhub = https://h\n",
		  "target = box\nhub = https://h\n" },
		{ "hub = https://h\ntarget = box\n", "hub = https://h\ntarget = box\n" },
	};

	(void)state;
	for (size_t i = 0; i < PIC_COUNT(table); i++) {
		PIC_BUF struct pic_buf out = PIC_BUF_INIT(4096);

		pic_config_merge(table[i].before, values, PIC_COUNT(values), &out);
		assert_string_equal(pic_buf_text(&out), table[i].after);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(merges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
