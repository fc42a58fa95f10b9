#include <errno.h>

#include "base/buffer.h"
#include "base/check.h"

static void grows_and_ends_with_nul(void **state)
{
	PIC_BUF struct pic_buf buf = PIC_BUF_INIT(100000);

	(void)state;
	assert_string_equal(pic_buf_text(&buf), "");
	for (int i = 0; i < 10000; i++)
		pic_buf_format(&buf, "%d,", i % 10);
	assert_int_equal(buf.size, 20000);
	assert_int_equal(strlen(buf.data), 20000);
	assert_int_equal(pic_buf_check(&buf, "x", NULL), 0);
}

static void takes_exactly_the_maximum(void **state)
{
	PIC_BUF struct pic_buf buf = PIC_BUF_INIT(5);
	struct pic_error err = PIC_ERROR_INIT;

	(void)state;
	pic_buf_text_add(&buf, "12345");
	assert_int_equal(pic_buf_check(&buf, "x", NULL), 0);
	pic_buf_char(&buf, '6');
	assert_string_equal(buf.data, "12345");
	assert_int_equal(pic_buf_check(&buf, "the list", &err), -ENOBUFS);
	assert_string_equal(err.text, "the list would be larger than 5 bytes");
	assert_null(pic_buf_reserve(&buf, 0));
	pic_buf_clear(&buf);
	pic_buf_text_add(&buf, "123");
	assert_string_equal(buf.data, "123");
}

static void a_failed_append_changes_nothing(void **state)
{
	PIC_BUF struct pic_buf buf = PIC_BUF_INIT(8);

	(void)state;
	pic_buf_text_add(&buf, "abc");
	pic_buf_format(&buf, "%s", "much too long");
	assert_true(buf.failed);
	assert_string_equal(buf.data, "abc");
	pic_buf_text_add(&buf, "d");
	assert_string_equal(buf.data, "abc");
	assert_null(pic_buf_take(&buf));
}

static void consumes_from_the_front(void **state)
{
	PIC_BUF struct pic_buf buf = PIC_BUF_INIT(64);

	(void)state;
	pic_buf_consume(&buf, 3);
	pic_buf_text_add(&buf, "one two");
	pic_buf_consume(&buf, 4);
	assert_string_equal(buf.data, "two");
	pic_buf_consume(&buf, 99);
	assert_int_equal(buf.size, 0);
	assert_string_equal(buf.data, "");
}

static void reserves_and_commits(void **state)
{
	PIC_BUF struct pic_buf buf = PIC_BUF_INIT(1000);
	char *room = pic_buf_reserve(&buf, 500);

	(void)state;
	assert_non_null(room);
	memset(room, 'x', 500);
	pic_buf_commit(&buf, 500);
	assert_int_equal(strlen(buf.data), 500);
	pic_buf_commit(&buf, 100000); /* never more than was reserved */
	assert_int_equal(buf.size, 500);
}

static void takes_the_memory(void **state)
{
	struct pic_buf buf = PIC_BUF_INIT(1000);
	char *text;

	(void)state;
	text = pic_buf_take(&buf);
	assert_string_equal(text, "");
	free(text);
	pic_buf_text_add(&buf, "hello");
	text = pic_buf_take(&buf);
	assert_string_equal(text, "hello");
	assert_null(buf.data);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(grows_and_ends_with_nul),
		cmocka_unit_test(takes_exactly_the_maximum),
		cmocka_unit_test(a_failed_append_changes_nothing),
		cmocka_unit_test(consumes_from_the_front),
		cmocka_unit_test(reserves_and_commits),
		cmocka_unit_test(takes_the_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
