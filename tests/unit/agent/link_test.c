/* The pure parts of the link: the hub's answers, back-off, a desired state in a file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <errno.h>
#include <cmocka.h>

#include "agent/link/backoff.h"
#include "agent/link/file_document.h"
#include "agent/link/hub_answer.h"

#define ID "00112233445566778899aabbccddeeff"

static int parse(struct pic_hub_answer *out, const char *text, const char *type,
		 struct pic_error *err)
{
	return pic_hub_answer_parse(out, text, strlen(text), type, err);
}

static void an_answer_is_taken_apart(void **state)
{
	char text[512];
	struct pic_hub_answer answer;

	(void)state;
	snprintf(
		text, sizeof(text),
		"{\"protocol\":1,\"document\":{\"a\":0.10,\"z\":[1],\"b\":\"ü/\"},\"accept-epoch\":true,\"asks\":["
		"{\"id\":\"%s\",\"kind\":\"scrape\",\"seconds\":5},{\"id\":\"bad\"},"
		"{\"id\":\"%s\",\"kind\":\"dance\",\"seconds\":5}]}",
		ID, ID);
	assert_int_equal(parse(&answer, text, "application/json", NULL), 0);
	/* as it came: its digest is over these bytes */
	assert_string_equal(pic_buf_text(&answer.document), "{\"a\":0.10,\"z\":[1],\"b\":\"ü/\"}");
	assert_true(answer.confirmed);
	assert_int_equal(answer.ask_count, 2);
	assert_int_equal(answer.asks[1].kind, PIC_ASK_UNKNOWN);
	pic_buf_free(&answer.document);
	assert_int_equal(parse(&answer, "{\"protocol\":1}", "application/json", NULL), 0);
	assert_int_equal(answer.document.size, 0);
	assert_false(answer.confirmed);
}

static void what_is_no_answer_is_said(void **state)
{
	static const struct {
		const char *text, *type, *sentence;
	} bad[] = {
		{ "<!DOCTYPE html>", "text/plain", "captive portal" },
		{ " \n<HTML>", "application/json", "captive portal" },
		{ "{}", "text/html; charset=utf-8", "captive portal" },
		{ "{", "application/json", "the hub's answer" },
		{ "{}", "application/json", "the hub's answer.protocol: is missing" },
		{ "{\"protocol\":1,\"document\":7}", "application/json",
		  "document: an object is expected" },
	};

	(void)state;
	for (size_t i = 0; i < PIC_COUNT(bad); i++) {
		struct pic_hub_answer answer;
		struct pic_error err = PIC_ERROR_INIT;

		assert_true(parse(&answer, bad[i].text, bad[i].type, &err) < 0);
		if (!strstr(err.text, bad[i].sentence))
			fail_msg("'%s' says: %s", bad[i].text, err.text);
	}
}

static void a_refusal_speaks(void **state)
{
	static const char json[] = "{\"error\":\"no such device\",\"reason\":\"UnknownDevice\"}";
	struct pic_error err = PIC_ERROR_INIT;
	char reason[48];

	(void)state;
	pic_hub_refusal_parse(403, json, strlen(json), "application/json", reason, &err);
	assert_string_equal(reason, "UnknownDevice");
	assert_string_equal(err.text, "the hub refuses (status 403): no such device");
	pic_hub_refusal_parse(502, "<html>", 6, "text/html", reason, &err);
	assert_string_equal(reason, "HubRefuses");
	assert_non_null(strstr(err.text, "captive portal"));
	pic_hub_refusal_parse(500, "", 0, "", reason, &err);
	assert_string_equal(err.text, "the hub answers with status 500");
}

static void backoff_grows_within_its_limits(void **state)
{
	int64_t largest[12] = { 0 };

	(void)state;
	for (unsigned failures = 1; failures < 12; failures++)
		for (int i = 0; i < 400; i++) {
			int64_t ms = pic_backoff_ms(failures, -1);

			assert_in_range(ms, 0, PIC_BACKOFF_LONGEST_MS);
			if (ms > largest[failures])
				largest[failures] = ms;
		}
	assert_true(largest[1] <= 1000 && largest[3] > 2000 && largest[11] > 200000);
	assert_true(pic_backoff_ms(1, 5000) >= 5000);
	assert_true(pic_backoff_ms(1, INT64_MAX) <=
		    2 * 3600 * 1000); /* a mistake does not silence for ever */
}

/* -- files ------------------------------------------------------------------------------------------------ */

static char folder[] = "/tmp/pic-link-test-XXXXXX";

static int make_folder(void **state)
{
	char path[64];
	FILE *file;

	(void)state;
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/web.wasm", folder);
	file = fopen(path, "w");
	if (!file)
		return -1;
	fputs("abc", file);
	return fclose(file);
}

static int remove_folder(void **state)
{
	char path[64];

	(void)state;
	snprintf(path, sizeof(path), "%s/web.wasm", folder);
	unlink(path);
	return rmdir(folder);
}

static int convert(const char *text, struct pic_buf *out, struct pic_error *err)
{
	const struct pic_file_frame frame = {
		.folder = folder, .device = "local", .revision = 3, .now_wall_ms = 1790000000000
	};

	return pic_file_document(text, strlen(text), &frame, out, err);
}

static void a_short_form_becomes_a_document(void **state)
{
	static const char text[] =
		"{\"components\":[{\"name\":\"web\",\"type\":\"wasm\",\"dependencies\":[\"db\"],"
		"\"properties\":{\"wasm.url\":\"./web.wasm\"}},"
		"{\"component\":\"db\",\"instance\":\"shop\",\"type\":\"wasm\","
		"\"url\":\"file:web.wasm\"}]}";
	PIC_BUF struct pic_buf out = PIC_BUF_INIT(PIC_DOCUMENT_SIZE_MAX);
	struct pic_document *document = NULL;
	struct pic_error err = PIC_ERROR_INIT;
	char digest[2 * PIC_DIGEST_SIZE + 1], url[96];

	(void)state;
	assert_int_equal(convert(text, &out, &err), 0);
	assert_int_equal(pic_document_parse(&document, out.data, out.size, &err), 0);
	assert_int_equal(document->revision, 3);
	assert_string_equal(document->device, "local");
	assert_string_equal(document->components[0].name.instance, "local");
	assert_string_equal(document->components[0].name.component, "web");
	assert_string_equal(document->components[0].dependencies[0], "db");
	assert_string_equal(document->components[1].name.instance, "shop");
	snprintf(url, sizeof(url), "file:%s/./web.wasm", folder);
	assert_string_equal(document->components[0].url, url);
	pic_hex_encode(document->components[1].digest, PIC_DIGEST_SIZE,
		       digest); /* FIPS 180-4, "abc" */
	assert_string_equal(digest,
			    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	pic_document_free(document);
}

static void a_mistake_in_it_is_named(void **state)
{
	static const struct {
		const char *text, *sentence;
	} bad[] = {
		{ "[]", "an object is expected" },
		{ "{}", "document.components: is missing" },
		{ "{\"components\":[{\"type\":\"wasm\",\"url\":\"gone\"}]}",
		  "document.components[0]: " },
		{ "{\"components\":[{\"type\":\"wasm\",\"url\":\"https://h/x\"}]}",
		  "the SHA-256 of https://h/x" },
	};

	(void)state;
	for (size_t i = 0; i < PIC_COUNT(bad); i++) {
		PIC_BUF struct pic_buf out = PIC_BUF_INIT(PIC_DOCUMENT_SIZE_MAX);
		struct pic_error err = PIC_ERROR_INIT;

		assert_true(convert(bad[i].text, &out, &err) < 0);
		if (!strstr(err.text, bad[i].sentence))
			fail_msg("'%s' says: %s", bad[i].text, err.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_is_taken_apart),
		cmocka_unit_test(what_is_no_answer_is_said),
		cmocka_unit_test(a_refusal_speaks),
		cmocka_unit_test(backoff_grows_within_its_limits),
		cmocka_unit_test(a_short_form_becomes_a_document),
		cmocka_unit_test(a_mistake_in_it_is_named),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
