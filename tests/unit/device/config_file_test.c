/* What joining writes into the configuration file, and what it leaves alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/cleanup.h"
#include "base/file.h"
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

static void what_joining_wrote_goes_with_the_file(void **state)
{
	static const struct pic_config_value gone[] = { { "hub", NULL }, { "target", NULL } };
	char folder[] = "/tmp/piccolo-config-XXXXXX", path[64];
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(4096);

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/piccolo.conf", folder);
	assert_int_equal(pic_config_update(path, gone, 2, NULL), PIC_CONFIG_AS_BEFORE);
	assert_int_equal(pic_config_update(path, values, 3, NULL), PIC_CONFIG_WRITTEN);
	assert_int_equal(pic_config_update(path, values, 3, NULL), PIC_CONFIG_AS_BEFORE);
	assert_int_equal(pic_config_update(path, gone, 2, NULL), PIC_CONFIG_REMOVED);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(pic_config_update(path,
					   (struct pic_config_value[]){ { "metrics", "off" } }, 1,
					   NULL),
			 PIC_CONFIG_WRITTEN);
	assert_int_equal(pic_config_update(path, values, 3, NULL), PIC_CONFIG_WRITTEN);
	assert_int_equal(pic_config_update(path, gone, 2, NULL), PIC_CONFIG_WRITTEN);
	assert_int_equal(pic_file_read_path(path, &text, NULL), 0);
	assert_string_equal(pic_buf_text(&text), "metrics = off\n");
	unlink(path);
	rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(merges),
		cmocka_unit_test(what_joining_wrote_goes_with_the_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
