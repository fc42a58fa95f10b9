#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <errno.h>
#include <cmocka.h>

#include "protocol/document.h"

#define EPOCH "00112233445566778899aabbccddeeff"
#define SHA "1111111111111111111111111111111111111111111111111111111111111111"
#define HEAD \
	"{\"protocol\":1,\"epoch\":\"" EPOCH "\",\"revision\":7,\"device\":\"box\"," \
	"\"issued-at\":\"2026-11-24T14:00:00Z\","

static const char whole[] = HEAD
	"\"components\":[{\"instance\":\"app\",\"component\":\"web\",\"type\":\"wasm\",\"revision\":5,"
	"\"sha256\":\"" SHA
	"\",\"url\":\"https://h/w.wasm\",\"properties\":{\"wasm.listen\":\"8085\"},"
	"\"dependencies\":[\"db\"],\"approval\":{\"id\":\"" EPOCH "\"}},"
	"{\"instance\":\"app\",\"component\":\"db\",\"type\":\"wasm\",\"revision\":7,\"properties\":{}}],"
	"\"removed\":[{\"instance\":\"app\",\"component\":\"old\",\"revision\":6}]}";

static void reads_all_fields(void **state)
{
	struct pic_document *document = NULL;
	struct pic_error err = PIC_ERROR_INIT;

	(void)state;
	assert_int_equal(pic_document_parse(&document, whole, strlen(whole), &err), 0);
	assert_string_equal(document->epoch, EPOCH);
	assert_int_equal(document->revision, 7);
	assert_string_equal(document->device, "box");
	assert_int_equal(document->component_count, 2);
	assert_string_equal(document->components[0].name.component, "web");
	assert_string_equal(document->components[0].type, "wasm");
	assert_int_equal(document->components[0].revision, 5);
	assert_true(document->components[0].has_digest);
	assert_int_equal(document->components[0].digest[31], 0x11);
	assert_string_equal(document->components[0].url, "https://h/w.wasm");
	assert_string_equal(pic_json_get_text(document->components[0].properties, "wasm.listen"),
			    "8085");
	assert_int_equal(document->components[0].dependency_count, 1);
	assert_string_equal(document->components[0].dependencies[0], "db");
	assert_true(document->components[0].has_approval);
	assert_int_equal(document->components[0].approval[15], 0xff);
	assert_false(document->components[1].has_approval);
	assert_false(document->components[1].has_digest);
	assert_null(document->components[1].url);
	assert_int_equal(document->removed_count, 1);
	assert_int_equal(document->removed[0].revision, 6);
	pic_document_free(document);
}

/* The same document has the same bytes: digests depend on it. */
static void writes_the_bytes_it_read(void **state)
{
	PIC_BUF struct pic_buf out = PIC_BUF_INIT(PIC_DOCUMENT_SIZE_MAX);
	struct pic_document *document = NULL;

	(void)state;
	assert_int_equal(pic_document_parse(&document, whole, strlen(whole), NULL), 0);
	assert_int_equal(pic_document_write(document, &out), 0);
	assert_string_equal(pic_buf_text(&out), whole);
	pic_document_free(document);
}

static void ignores_unknown_keys(void **state)
{
	static const char text[] = HEAD
		"\"later\":{\"a\":[1,2]},\"components\":[],\"removed\":null}";
	struct pic_document *document = NULL;

	(void)state;
	assert_int_equal(pic_document_parse(&document, text, strlen(text), NULL), 0);
	assert_int_equal(document->component_count, 0);
	pic_document_free(document);
}

#define ONE(members) HEAD "\"components\":[{" members "}]}"
#define NAMED "\"instance\":\"app\",\"component\":\"web\""

static const struct {
	const char *text, *sentence;
} refused[] = {
	{ "", "document: " },
	{ "[]", "document: an object is expected, found array" },
	{ "{}", "document.protocol: is missing" },
	{ "{\"protocol\":2}", "document.protocol: 2 is not known here, 1 is" },
	{ "{\"protocol\":1,\"epoch\":\"XY\"}", "document.epoch: 32 lower-case hexadecimal digits" },
	{ "{\"protocol\":1,\"epoch\":\"" EPOCH "\",\"revision\":-1}",
	  "document.revision: -1 is not between" },
	{ "{\"protocol\":1,\"epoch\":\"" EPOCH "\",\"revision\":1,\"device\":\"A B\"}",
	  "document.device: a name" },
	{ "{\"protocol\":1,\"epoch\":\"" EPOCH
	  "\",\"revision\":1,\"device\":\"a\",\"issued-at\":\"today\"}",
	  "document.issued-at: a time like" },
	{ HEAD "\"components\":{}}", "document.components: an array is expected, found object" },
	{ HEAD "\"components\":[5]}", "document.components[0]: an object is expected" },
	{ ONE("\"instance\":\"app\""), "document.components[0].component: is missing" },
	{ ONE(NAMED), "document.components[0].type: is missing" },
	{ ONE(NAMED ",\"type\":\"Wasm!\""), "document.components[0].type: 'Wasm!' is not a type" },
	{ ONE(NAMED ",\"type\":\"wasm\",\"revision\":8"),
	  "components[0].revision: 8 is not between 1 and 7" },
	{ ONE(NAMED ",\"type\":\"wasm\",\"revision\":1,\"sha256\":\"12\""),
	  "components[0].sha256: 64 lower-case hexadecimal digits are expected" },
	{ ONE(NAMED ",\"type\":\"wasm\",\"revision\":1,\"url\":\"ftp://x\""),
	  "components[0].url: 'ftp://x' is not a URL" },
	{ ONE(NAMED ",\"type\":\"wasm\",\"revision\":1,\"url\":\"http://x y\""), "is not a URL" },
	{ ONE(NAMED ",\"type\":\"wasm\",\"revision\":1,\"properties\":[]"),
	  "components[0].properties: an object is expected, found array" },
	{ ONE(NAMED ",\"type\":\"wasm\",\"revision\":1,\"dependencies\":[\"a\",7]"),
	  "components[0].dependencies: entry 1 is not the name" },
	{ ONE(NAMED ",\"type\":\"wasm\",\"revision\":1,\"approval\":\"x\""),
	  "components[0].approval: an object is expected" },
	{ ONE(NAMED ",\"type\":\"wasm\",\"revision\":1,\"approval\":{\"id\":\"12\"}"),
	  "components[0].approval.id: 32 lower-case hexadecimal digits" },
	{ HEAD "\"components\":[{" NAMED ",\"type\":\"wasm\",\"revision\":1}],\"removed\":[{" NAMED
	       ",\"revision\":2}]}",
	  "document: 'app/web' is listed twice" },
	{ HEAD "\"removed\":[{" NAMED "}]}", "document.removed[0].revision: is missing" },
};

static void names_the_path_of_an_error(void **state)
{
	(void)state;
	for (size_t i = 0; i < PIC_COUNT(refused); i++) {
		struct pic_document *document = (void *)1;
		struct pic_error err = PIC_ERROR_INIT;

		assert_true(pic_document_parse(&document, refused[i].text, strlen(refused[i].text),
					       &err) < 0);
		if (!strstr(err.text, refused[i].sentence))
			fail_msg("'%s' does not say '%s'", err.text, refused[i].sentence);
		assert_ptr_equal(document, (void *)1);
	}
}

static void has_a_limit(void **state)
{
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(PIC_DOCUMENT_SIZE_MAX);
	struct pic_document *document = NULL;
	struct pic_error err = PIC_ERROR_INIT;

	(void)state;
	pic_buf_text_add(&text, HEAD "\"removed\":[");
	for (int i = 0; i <= PIC_DOCUMENT_COMPONENTS_MAX; i++)
		pic_buf_format(&text, "%s{\"instance\":\"a\",\"component\":\"c%d\",\"revision\":1}",
			       i ? "," : "", i);
	pic_buf_text_add(&text, "]}");
	assert_int_equal(pic_document_parse(&document, text.data, text.size, &err), -EINVAL);
	assert_non_null(
		strstr(err.text, "document.removed: at most 256 entries are allowed, found 257"));
	assert_int_equal(pic_document_parse(&document, text.data, PIC_DOCUMENT_SIZE_MAX + 1, &err),
			 -EFBIG);
}

static void reads_names_of_workloads(void **state)
{
	static const char *const bad[] = { "",	    "a",   "/",	   "a/",    "/b",
					   "a/b/c", "A/b", "a/b ", "../x/y" };
	struct pic_workload_name name;
	char text[2 * PIC_NAME_MAX + 2];

	(void)state;
	assert_int_equal(pic_workload_name_parse("app/web-1", &name, NULL), 0);
	pic_workload_name_text(&name, text);
	assert_string_equal(text, "app/web-1");
	for (size_t i = 0; i < PIC_COUNT(bad); i++) {
		struct pic_error err = PIC_ERROR_INIT;

		assert_int_equal(pic_workload_name_parse(bad[i], &name, &err), -EINVAL);
		assert_non_null(strstr(err.text, "is not the name of a workload"));
	}
	assert_string_equal(name.component, "web-1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_all_fields),
		cmocka_unit_test(writes_the_bytes_it_read),
		cmocka_unit_test(ignores_unknown_keys),
		cmocka_unit_test(names_the_path_of_an_error),
		cmocka_unit_test(has_a_limit),
		cmocka_unit_test(reads_names_of_workloads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
