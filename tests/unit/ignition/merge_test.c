/* Child over parent, list by list. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <time.h>
#include <errno.h>
#include <cmocka.h>

#include "base/cleanup.h"
#include "ignition/config.h"

#define V3 "{\"ignition\":{\"version\":\"3.3.0\"}"

static struct pic_json *parsed(const char *text)
{
	struct pic_json *value = NULL;
	struct pic_error err = PIC_ERROR_INIT;

	if (pic_json_parse(&value, text, strlen(text), &err) < 0)
		fail_msg("%s: %s", text, err.text);
	return value;
}

static const struct {
	const char *parent, *child, *merged;
} cases[] = {
	/* members of the child win, others stay */
	{ V3
	  ",\"storage\":{\"files\":[{\"path\":\"/a\",\"mode\":420,\"contents\":{\"source\":\"data:,1\"}}]}}",
	  V3 ",\"storage\":{\"files\":[{\"path\":\"/a\",\"contents\":{\"source\":\"data:,2\"}}]}}",
	  V3
	  ",\"storage\":{\"files\":[{\"path\":\"/a\",\"mode\":420,\"contents\":{\"source\":\"data:,2\"}}]}}" },
	/* the parent's entries first, then what is only the child's */
	{ V3 ",\"storage\":{\"files\":[{\"path\":\"/a\"},{\"path\":\"/b\"}]}}",
	  V3 ",\"storage\":{\"files\":[{\"path\":\"/c\"},{\"path\":\"/b\",\"mode\":384}]}}",
	  V3
	  ",\"storage\":{\"files\":[{\"path\":\"/a\"},{\"path\":\"/b\",\"mode\":384},{\"path\":\"/c\"}]}}" },
	/* a path is one thing: a file takes the place of a link */
	{ V3
	  ",\"storage\":{\"links\":[{\"path\":\"/a\",\"target\":\"/t\"},{\"path\":\"/k\",\"target\":\"/t\"}]}}",
	  V3 ",\"storage\":{\"files\":[{\"path\":\"/a\"}]}}",
	  V3
	  ",\"storage\":{\"links\":[{\"path\":\"/k\",\"target\":\"/t\"}],\"files\":[{\"path\":\"/a\"}]}}" },
	{ V3 ",\"kernelArguments\":{\"shouldExist\":[\"a\",\"b\"]}}",
	  V3 ",\"kernelArguments\":{\"shouldNotExist\":[\"a\"],\"shouldExist\":[\"b\",\"c\"]}}",
	  V3 ",\"kernelArguments\":{\"shouldExist\":[\"b\",\"c\"],\"shouldNotExist\":[\"a\"]}}" },
	/* append is appended, also twice the same */
	{ V3 ",\"storage\":{\"files\":[{\"path\":\"/a\",\"append\":[{\"source\":\"data:,x\"}]}]}}",
	  V3 ",\"storage\":{\"files\":[{\"path\":\"/a\",\"append\":[{\"source\":\"data:,x\"}]}]}}",
	  V3
	  ",\"storage\":{\"files\":[{\"path\":\"/a\",\"append\":[{\"source\":\"data:,x\"},{\"source\":"
	  "\"data:,x\"}]}]}}" },
	{ V3 ",\"storage\":{\"filesystems\":[{\"device\":\"/d\",\"options\":[\"-F\"]}]}}",
	  V3 ",\"storage\":{\"filesystems\":[{\"device\":\"/d\",\"options\":[\"-F\"]}]}}",
	  V3 ",\"storage\":{\"filesystems\":[{\"device\":\"/d\",\"options\":[\"-F\",\"-F\"]}]}}" },
	/* units by name, drop-ins in them by name */
	{ V3
	  ",\"systemd\":{\"units\":[{\"name\":\"a.service\",\"dropins\":[{\"name\":\"1.conf\",\"contents\":"
	  "\"[A]\"}]}]}}",
	  V3
	  ",\"systemd\":{\"units\":[{\"name\":\"a.service\",\"enabled\":true,\"dropins\":[{\"name\":"
	  "\"2.conf\"},{\"name\":\"1.conf\",\"contents\":\"[B]\"}]}]}}",
	  V3
	  ",\"systemd\":{\"units\":[{\"name\":\"a.service\",\"dropins\":[{\"name\":\"1.conf\",\"contents\":"
	  "\"[B]\"},{\"name\":\"2.conf\"}],\"enabled\":true}]}}" },
	{ V3 ",\"passwd\":{\"users\":[{\"name\":\"core\",\"sshAuthorizedKeys\":[\"a\"]}]}}",
	  V3 ",\"passwd\":{\"users\":[{\"name\":\"core\",\"sshAuthorizedKeys\":[\"b\",\"a\"]}]}}",
	  V3 ",\"passwd\":{\"users\":[{\"name\":\"core\",\"sshAuthorizedKeys\":[\"a\",\"b\"]}]}}" },
	/* partitions by number, without one by label */
	{ V3
	  ",\"storage\":{\"disks\":[{\"device\":\"/d\",\"partitions\":[{\"number\":1},{\"label\":\"x\"}]}]}}",
	  V3
	  ",\"storage\":{\"disks\":[{\"device\":\"/d\",\"partitions\":[{\"label\":\"x\",\"sizeMiB\":5},"
	  "{\"number\":1,\"sizeMiB\":6}]}]}}",
	  V3
	  ",\"storage\":{\"disks\":[{\"device\":\"/d\",\"partitions\":[{\"number\":1,\"sizeMiB\":6},"
	  "{\"label\":\"x\",\"sizeMiB\":5}]}]}}" },
	/* a header without a value takes the parent's away */
	{ V3
	  ",\"storage\":{\"files\":[{\"path\":\"/a\",\"contents\":{\"httpHeaders\":[{\"name\":\"A\",\"value\":"
	  "\"1\"},{\"name\":\"B\",\"value\":\"1\"}]}}]}}",
	  V3
	  ",\"storage\":{\"files\":[{\"path\":\"/a\",\"contents\":{\"httpHeaders\":[{\"name\":\"A\"},{\"name\":"
	  "\"B\",\"value\":\"2\"}]}}]}}",
	  V3
	  ",\"storage\":{\"files\":[{\"path\":\"/a\",\"contents\":{\"httpHeaders\":[{\"name\":\"B\",\"value\":"
	  "\"2\"}]}}]}}" },
	/* null says nothing; the newer spec counts; merge stays */
	{ V3 ",\"storage\":{\"files\":[]}}",
	  "{\"ignition\":{\"version\":\"3.4.0\",\"config\":{\"merge\":[{\"source\":\"https://a\"}]}},"
	  "\"storage\":null}",
	  "{\"ignition\":{\"version\":\"3.4.0\",\"config\":{\"merge\":[{\"source\":\"https://a\"}]}},"
	  "\"storage\":{\"files\":[]}}" },
};

static void merges(void **state)
{
	(void)state;
	for (size_t i = 0; i < PIC_COUNT(cases); i++) {
		PIC_JSON struct pic_json *parent = parsed(cases[i].parent);
		PIC_JSON struct pic_json *child = parsed(cases[i].child);
		PIC_JSON struct pic_json *wanted = parsed(cases[i].merged);
		PIC_JSON struct pic_json *merged = NULL;
		PIC_BUF struct pic_buf text = PIC_BUF_INIT(65536);

		assert_int_equal(pic_ignition_merge(parent, child, &merged, NULL), 0);
		pic_json_write(merged, PIC_JSON_COMPACT, &text);
		if (!pic_json_equal(merged, wanted))
			fail_msg("case %zu: %s", i, pic_buf_text(&text));
	}
}

static void with_nothing_it_stays_itself(void **state)
{
	PIC_JSON struct pic_json *empty = parsed(V3 "}");

	(void)state;
	for (size_t i = 0; i < PIC_COUNT(cases); i++) {
		PIC_JSON struct pic_json *config = parsed(cases[i].merged);
		PIC_JSON struct pic_json *below = NULL, *above = NULL;

		assert_int_equal(pic_ignition_merge(config, empty, &below, NULL), 0);
		assert_int_equal(pic_ignition_merge(empty, config, &above, NULL), 0);
		assert_true(pic_json_equal(below, config));
		assert_true(pic_json_equal(above, config));
	}
}

static void a_child_that_replaces_is_refused(void **state)
{
	PIC_JSON struct pic_json *parent = parsed(V3 "}");
	PIC_JSON struct pic_json *child = parsed(
		"{\"ignition\":{\"version\":\"3.3.0\",\"config\":{\"replace\":{\"source\":\"https://a\"}}}}");
	struct pic_json *merged = NULL;
	struct pic_error err = PIC_ERROR_INIT;

	(void)state;
	assert_int_equal(pic_ignition_merge(parent, child, &merged, &err), -EINVAL);
	assert_non_null(strstr(err.text, "ignition.config.replace"));
	assert_null(merged);
}

#define MANY 40000
#define SECONDS_OF_WORK 10 /* of the processor's time; a square takes minutes */

static struct pic_json *many_files(const char *more)
{
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(PIC_IGNITION_SIZE_MAX);

	pic_buf_text_add(&text, V3 ",\"storage\":{\"files\":[");
	for (unsigned i = 0; i < MANY; i++)
		pic_buf_format(&text, "%s{\"path\":\"/%x\"%s}", i ? "," : "", i, more);
	pic_buf_text_add(&text, "]}}");
	return parsed(pic_buf_text(&text));
}

static void long_lists_take_no_square(void **state)
{
	PIC_JSON struct pic_json *parent = many_files("");
	PIC_JSON struct pic_json *child = many_files(",\"mode\":420");
	PIC_JSON struct pic_json *merged = NULL;
	const clock_t begin = clock();

	(void)state;
	assert_int_equal(pic_ignition_merge(parent, child, &merged, NULL), 0);
	assert_true((clock() - begin) / CLOCKS_PER_SEC < SECONDS_OF_WORK);
	assert_true(pic_json_equal(merged, child));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(merges),
		cmocka_unit_test(with_nothing_it_stays_itself),
		cmocka_unit_test(a_child_that_replaces_is_refused),
		cmocka_unit_test(long_lists_take_no_square),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
