/* The one writer of HTML: nothing that a stranger wrote becomes markup, an attribute or an address. */
#include "base/check.h"

#include <errno.h>
#include <string.h>

#include "hub/web/html.h"

static const char *escaped(const char *text)
{
	static struct pic_buf out = PIC_BUF_INIT(64 * 1024);

	pic_buf_clear(&out);
	pic_html_escape(text, strlen(text), &out);
	return pic_buf_text(&out);
}

static void markup_is_text(void **state)
{
	(void)state;
	assert_string_equal(escaped("<script>alert(1)</script>"),
			    "&lt;script&gt;alert(1)&lt;/script&gt;");
	assert_string_equal(escaped("a & b \"c\" 'd'"), "a &amp; b &quot;c&quot; &#39;d&#39;");
	assert_string_equal(escaped("&lt;"), "&amp;lt;");
	assert_string_equal(escaped("Grüße, 世界 🎈"), "Grüße, 世界 🎈");
	assert_string_equal(escaped("two\nlines\tand a tab"), "two\nlines\tand a tab");
}

static void what_hides_is_shown(void **state)
{
	(void)state;
	assert_string_equal(escaped("a\x1b[31mb\r\x07"), "a\\x1b[31mb\\x0d\\x07");
	/* right-to-left override and its kin turn "reject" into "approve" */
	assert_string_equal(escaped("\xe2\x80\xaetxt"), "\\u202etxt");
	assert_string_equal(escaped("\xe2\x81\xa6x"), "\\u2066x");
	assert_string_equal(escaped("\xc2\x85"), "\\x85");
	/* not UTF-8: overlong "<", a cut character, a lone byte */
	assert_string_equal(escaped("\xc0\xbc"), "\\xc0\\xbc");
	assert_string_equal(escaped("\xe4\xb8"), "\\xe4\\xb8");
	assert_string_equal(escaped("\xff<"), "\\xff&lt;");
}

/* Whatever bytes come: no character that ends a text or a quoted value is left. */
static void no_bytes_get_out(void **state)
{
	PIC_BUF struct pic_buf out = PIC_BUF_INIT(4096);
	unsigned seed = 4711;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		char text[24];
		size_t size = (size_t)rand_r(&seed) % sizeof(text);

		for (size_t i = 0; i < size; i++)
			text[i] = (char)(rand_r(&seed) % 4 ? "<>&\"'\\/ \n\x1b"[rand_r(&seed) % 10]
							   : rand_r(&seed));
		pic_buf_clear(&out);
		pic_html_escape(text, size, &out);
		assert_null(strpbrk(pic_buf_text(&out), "<>\"'"));
		assert_int_equal(strlen(pic_buf_text(&out)), out.size);
	}
}

static void elements_are_closed(void **state)
{
	PIC_BUF struct pic_buf out = PIC_BUF_INIT(4096);
	struct pic_html html;

	(void)state;
	pic_html_start(&html, &out);
	pic_html_begin(&html, "main", "id", "a\"onload=\"x", "class", NULL, NULL);
	pic_html_element(&html, "b", "<i>", "title", "it's", NULL);
	pic_html_void(&html, "input", "value", "\"><script>", NULL);
	pic_html_begin(&html, "p", NULL);
	pic_html_format(&html, "%s & %d", "<%s>", 7);
	assert_int_equal(pic_html_finish(&html, NULL), 0);
	pic_html_end(&html); /* one too many does nothing */
	assert_string_equal(pic_buf_text(&out), "<!doctype html><main id=\"a&quot;onload=&quot;x\">"
						"<b title=\"it&#39;s\">&lt;i&gt;</b>"
						"<input value=\"&quot;&gt;&lt;script&gt;\">"
						"<p>&lt;%s&gt; &amp; 7</p>\n</main>\n");
}

static void addresses_stay_here(void **state)
{
	static const char *const own[] = { "/", "/devices/a?b=c", "#main", "?find=x", "/a//b" };
	static const char *const elsewhere[] = {
		"//evil.example",
		"/\\evil.example",
		"javascript:alert(1)",
		"https://evil.example",
		"data:text/html,x",
		"evil",
		"",
		" /x",
		"\tjavascript:x",
		"/a\r\nSet-Cookie: x",
		"/\t/evil.example",
		"/a\\b",
	};
	PIC_BUF struct pic_buf out = PIC_BUF_INIT(4096);
	struct pic_html html;

	(void)state;
	for (size_t i = 0; i < PIC_COUNT(own); i++)
		assert_true(pic_html_is_own_address(own[i]));
	pic_html_start(&html, &out);
	for (size_t i = 0; i < PIC_COUNT(elsewhere); i++) {
		assert_false(pic_html_is_own_address(elsewhere[i]));
		pic_html_element(&html, "a", NULL, "href", elsewhere[i], NULL);
		pic_html_element(&html, "form", NULL, "action", elsewhere[i], NULL);
		pic_html_void(&html, "img", "src", elsewhere[i], NULL);
	}
	assert_int_equal(pic_html_finish(&html, NULL), 0);
	assert_null(strstr(pic_buf_text(&out), "href"));
	assert_null(strstr(pic_buf_text(&out), "action"));
	assert_null(strstr(pic_buf_text(&out), "src"));
}

static void names_in_paths_are_encoded(void **state)
{
	PIC_BUF struct pic_buf out = PIC_BUF_INIT(4096);

	(void)state;
	pic_html_path(&out, "/devices/%s/%s?key=%s", "a/../b", "\"><x", "k&=#");
	assert_string_equal(pic_buf_text(&out), "/devices/a%2F..%2Fb/%22%3E%3Cx?key=k%26%3D%23");
	assert_true(pic_html_is_own_address(pic_buf_text(&out)));
}

static void too_much_is_a_failure(void **state)
{
	PIC_BUF struct pic_buf out = PIC_BUF_INIT(64);
	struct pic_error err = PIC_ERROR_INIT;
	struct pic_html html;

	(void)state;
	pic_html_start(&html, &out);
	for (int i = 0; i < 20; i++)
		pic_html_element(&html, "p", "words", NULL);
	assert_int_equal(pic_html_finish(&html, &err), -ENOBUFS);

	PIC_BUF struct pic_buf deep = PIC_BUF_INIT(4096);
	pic_html_start(&html, &deep);
	for (int i = 0; i <= PIC_HTML_DEPTH; i++)
		pic_html_begin(&html, "p", NULL);
	assert_int_equal(pic_html_finish(&html, &err), -ELOOP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(markup_is_text),
		cmocka_unit_test(what_hides_is_shown),
		cmocka_unit_test(no_bytes_get_out),
		cmocka_unit_test(elements_are_closed),
		cmocka_unit_test(addresses_stay_here),
		cmocka_unit_test(names_in_paths_are_encoded),
		cmocka_unit_test(too_much_is_a_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
