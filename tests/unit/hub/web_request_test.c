/* A request for approval as a page: what a person reads, and that nothing of it is markup. */
#include "base/check.h"

#include <string.h>

#include "hub/web/request.h"
#include "hub/web/sentences.h"

static const char request[] =
	"{\"metadata\":{\"name\":\"run-approval\",\"namespace\":\"default\"},\"spec\":{"
	"\"id\":\"00112233445566778899aabbccddeeff\",\"campaign\":\"ebpf-approval\","
	"\"activation\":\"run\",\"stage\":\"approval\",\"requestedBy\":\"ada@example.org\","
	"\"reason\":\"packets are lost\",\"lengthSeconds\":7200,\"expires\":\"2026-11-25T10:00:00Z\","
	"\"approvers\":[\"bob@example.org\"],"
	"\"items\":[{\"target\":\"tiny-edge\",\"instance\":\"tiny-app\",\"component\":\"ebpf-module\","
	"\"type\":\"ebpf\",\"sha256\":\"abcd\",\"terms\":\"ef01\",\"grants\":[\"kernel-read\",\"new-one\"],"
	"\"facts\":{\"programs\":[{\"name\":\"count\",\"type\":\"xdp\",\"hook\":\"eth0\"}],"
	"\"helpers\":[\"trace_printk\",\"map_lookup_elem\"],\"maps\":[\"counters\"],\"size\":4096}}]}}";

static struct pic_object *object_of(const char *text)
{
	struct pic_object *object = NULL;
	struct pic_json *json = NULL;
	struct pic_error err = PIC_ERROR_INIT;

	if (pic_json_parse(&json, text, strlen(text), &err) < 0 ||
	    pic_object_new(&object, PIC_KIND_APPROVAL, json, &err) < 0)
		fail_msg("%s", err.text);
	return object;
}

/* The whole page; free it. */
static char *page_of(const struct pic_object *object)
{
	const struct pic_page_frame frame = { .title = "May this run?" };
	struct pic_page page;

	pic_page_begin(&page, &frame);
	pic_request_outcome(&page, object);
	pic_request_facts(&page, object);
	assert_int_equal(pic_html_finish(&page.html, NULL), 0);
	return pic_buf_take(&page.buf);
}

static void assert_says(const char *page, const char *words)
{
	if (!strstr(page, words))
		fail_msg("the page does not say \"%s\":\n%s", words, page);
}

static void everything_is_said(void **state)
{
	struct pic_object *object = object_of(request);
	PIC_FREE char *page = page_of(object);

	(void)state;
	assert_says(page, "ada@example.org");
	assert_says(page, "packets are lost");
	assert_says(page, "tiny-edge");
	assert_says(page, "2 hours");
	assert_says(page, "the moment of the decision");
	assert_says(page, "bob@example.org");
	assert_says(page, "activation run");
	assert_says(page, "sees every packet that arrives");
	assert_says(page, "It may read the kernel&#39;s memory");
	assert_says(page, "which this hub cannot explain");
	assert_says(page, "It writes lines of text");
	assert_says(page, "map_lookup_elem");
	assert_says(page, "counters");
	assert_says(page, "abcd");
	assert_says(page, "4096 bytes");
	assert_says(page, "Nobody has decided yet");
	pic_object_unref(object);
}

/* Every text of the request is replaced by an attack, one after the other and all at once. */
static void replace_texts(struct pic_json *value, const char *text)
{
	if (pic_json_type(value) == PIC_JSON_OBJECT) {
		pic_json_each(value, i) {
			if (pic_json_type(pic_json_value(i)) == PIC_JSON_TEXT)
				pic_json_set_text(value, pic_json_key(i), text);
			else
				replace_texts(pic_json_value(i), text);
		}
	}
	for (size_t i = 0; pic_json_type(value) == PIC_JSON_ARRAY && i < pic_json_count(value);
	     i++) {
		if (pic_json_type(pic_json_at(value, i)) == PIC_JSON_TEXT)
			pic_json_replace_at(value, i, pic_json_new_text(text));
		else
			replace_texts(pic_json_at(value, i), text);
	}
}

static void nothing_of_it_is_markup(void **state)
{
	static const char *const attacks[] = {
		"<script>steal()</script>",
		"\"><img src=x onerror=steal()>",
		"'><b>steal()",
		"</main><form action=//evil.example>steal()",
		"javascript:steal()",
		"%3Cscript%3Esteal()",
		"&lt;script&gt;steal()",
		"\xe2\x80\xae steal()",
	};

	(void)state;
	for (size_t i = 0; i < PIC_COUNT(attacks); i++) {
		struct pic_json *json = NULL;
		struct pic_object *object = NULL;

		assert_int_equal(pic_json_parse(&json, request, strlen(request), NULL), 0);
		replace_texts(pic_json_get(json, "spec"), attacks[i]);
		struct pic_json *status = pic_json_ensure_object(json, "status");
		pic_json_set_text(status, "phase", i % 2 ? "Approved" : "Ended");
		pic_json_set_text(status, "decidedBy", attacks[i]);
		pic_json_set_text(status, "comment", attacks[i]);
		assert_int_equal(pic_object_new(&object, PIC_KIND_APPROVAL, json, NULL), 0);
		PIC_FREE char *page = page_of(object);

		assert_says(page, "steal()"); /* it is shown */
		assert_null(strstr(page, "<script>steal"));
		assert_null(strstr(page, "<img src=x"));
		assert_null(strstr(page, "<b>"));
		assert_null(strstr(page, "<form"));
		assert_null(strstr(page, "href=\"javascript"));
		assert_null(strstr(page, "\xe2\x80\xae"));
		pic_object_unref(object);
	}
}

static void what_devices_allow_is_said(void **state)
{
	struct pic_object *object = object_of(
		"{\"metadata\":{\"name\":\"x\"},\"spec\":{\"lengthSeconds\":7200,\"leaseMaxSeconds\":7200}}");
	PIC_FREE char *page = page_of(object);

	(void)state;
	assert_says(page, "2 hours: the device allows no more");
	pic_object_unref(object);
}

static void damaged_requests_are_shown(void **state)
{
	static const char *const damaged[] = {
		"{\"metadata\":{\"name\":\"x\"}}",
		"{\"metadata\":{\"name\":\"x\"},\"spec\":{\"items\":7,\"approvers\":{},\"lengthSeconds\":\"a\"}}",
		("{\"metadata\":{\"name\":\"x\"},\"spec\":{\"items\":[1,null,[],{\"facts\":[],\"grants\":\"x\","
		 "\"type\":\"ebpf\"}],\"opens\":\"yesterday\"},\"status\":{\"phase\":\"Great\"}}"),
	};

	(void)state;
	for (size_t i = 0; i < PIC_COUNT(damaged); i++) {
		struct pic_object *object = object_of(damaged[i]);
		PIC_FREE char *page = page_of(object);

		assert_says(page, "The request does not say who asks.");
		pic_object_unref(object);
	}
	struct pic_object *object = object_of(damaged[2]);
	PIC_FREE char *page = page_of(object);
	assert_says(page, "does not know that state; it allows nothing");
	assert_says(page, "does not say which programs");
	pic_object_unref(object);
}

static const char *with_status(const char *status)
{
	static char *page;
	struct pic_json *json = NULL, *part = NULL;
	struct pic_object *object = NULL;

	assert_int_equal(pic_json_parse(&json, request, strlen(request), NULL), 0);
	assert_int_equal(pic_json_parse(&part, status, strlen(status), NULL), 0);
	pic_json_set(json, "status", part);
	assert_int_equal(pic_object_new(&object, PIC_KIND_APPROVAL, json, NULL), 0);
	free(page);
	page = page_of(object);
	pic_object_unref(object);
	return page;
}

static void every_phase_says_who_and_when(void **state)
{
	(void)state;
	const char *page = with_status(
		"{\"phase\":\"Approved\",\"decidedBy\":\"bob@example.org\",\"comment\":\"go on\","
		"\"decidedAt\":\"2026-11-24T14:00:00Z\",\"ends\":\"2026-11-24T16:00:00.500Z\"}");
	assert_says(page, "Approved by <strong>bob@example.org");
	assert_says(page, "2026-11-24 14:00:00 UTC");
	assert_says(page, "It ends ");
	assert_says(page, "2026-11-24 16:00:00 UTC");
	assert_says(page, "go on");
	assert_says(with_status("{\"phase\":\"Rejected\",\"decidedBy\":\"bob\"}"), "Rejected by ");
	assert_says(with_status("{\"phase\":\"Revoked\",\"decidedBy\":\"bob\"}"), "Taken back by ");
	assert_says(with_status("{\"phase\":\"Expired\"}"), "Nobody decided in time");
	assert_says(with_status("{\"phase\":\"Ended\",\"ends\":\"2026-11-24T16:00:00Z\"}"),
		    "Its time was over ");
}

static void lengths_are_words(void **state)
{
	static const struct {
		int64_t seconds;
		const char *words;
	} cases[] = {
		{ 7200, "2 hours" }, { 5400, "1 hour 30 minutes" }, { 90, "1 minute 30 seconds" },
		{ 1, "1 second" },   { 90061, "1 day 1 hour" },	    { 0, "no time" },
		{ -5, "no time" },
	};
	char words[PIC_SENTENCE_MAX];

	(void)state;
	for (size_t i = 0; i < PIC_COUNT(cases); i++) {
		pic_sentence_length(cases[i].seconds, words);
		assert_string_equal(words, cases[i].words);
	}
}

static void xdp_can_answer(void **state)
{
	struct pic_json *program = pic_json_new_object();
	char words[PIC_SENTENCE_MAX];

	(void)state;
	pic_json_set_text(program, "name", "count");
	pic_json_set_text(program, "type", "xdp");
	pic_json_set_text(program, "hook", "eth0");
	pic_sentence_program(program, words);
	assert_string_equal(words,
			    "\"count\", a program of type xdp at eth0, sees every packet that "
			    "arrives, before the kernel does, and may drop it, change it or "
			    "send it back.");
	pic_json_unref(program);
}

static void helpers_that_matter(void **state)
{
	static const char *const told[] = {
		"xdp_store_bytes",	"skb_adjust_room", "skb_vlan_push",  "skb_vlan_pop",
		"l3_csum_replace",	"l4_csum_replace", "get_stack",	     "get_stackid",
		"get_task_stack",	"snprintf_btf",	   "seq_printf_btf", "get_current_task",
		"get_current_task_btf", "sk_assign",
	};
	char words[PIC_SENTENCE_MAX];

	(void)state;
	assert_true(pic_sentence_helper("probe_read_kernel", words));
	assert_string_equal(words, "It reads the kernel's memory (probe_read_kernel).");
	assert_true(pic_sentence_helper("bpf_redirect", words));
	assert_true(pic_sentence_helper("skb_vlan_pop", words));
	assert_string_equal(words, "It puts packets into another VLAN or takes them out of it "
				   "(skb_vlan_pop).");
	assert_true(pic_sentence_helper("sk_assign", words));
	assert_string_equal(words, "It decides which program gets a connection (sk_assign).");
	for (size_t i = 0; i < PIC_COUNT(told); i++)
		if (!pic_sentence_helper(told[i], words))
			fail_msg("%s has no sentence", told[i]);
	assert_false(pic_sentence_helper("map_lookup_elem", words));
	assert_false(pic_sentence_helper("", words));
}

static void a_check_that_is_off_is_said(void **state)
{
	static const struct {
		const char *facts;
		bool warns;
	} cases[] = {
		{ "{\"programs\":[{\"name\":\"p\",\"type\":\"xdp\"}]}", true },
		{ "{\"programs\":[{\"name\":\"p\",\"type\":\"tc\"}]}", true },
		{ "{\"programs\":[{\"name\":\"p\",\"type\":\"xdp\"}],\"confirmSeconds\":15}",
		  false },
		{ "{\"programs\":[{\"name\":\"p\",\"type\":\"tracepoint\"}]}", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		PIC_BUF struct pic_buf text = PIC_BUF_INIT(4096);
		struct pic_object *object;
		char *page;

		pic_buf_format(&text,
			       "{\"metadata\":{\"name\":\"a\",\"namespace\":\"default\"},"
			       "\"spec\":{\"items\":[{\"type\":\"ebpf\",\"facts\":%s}]}}",
			       cases[i].facts);
		object = object_of(pic_buf_text(&text));
		page = page_of(object);
		assert_int_equal(strstr(page, "Nobody looks whether") != NULL, cases[i].warns);
		free(page);
		pic_object_unref(object);
	}
}

/* An object may call two hundred functions that nobody needs to know of. */
static void no_helper_that_matters_is_pushed_off_the_page(void **state)
{
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(64 * 1024);
	struct pic_object *object;
	char *page;

	(void)state;
	pic_buf_text_add(&text, "{\"metadata\":{\"name\":\"a\",\"namespace\":\"default\"},\"spec\":"
				"{\"items\":[{\"target\":\"t\",\"facts\":{\"helpers\":[");
	for (unsigned i = 0; i < 200; i++)
		pic_buf_format(&text, "\"harmless_%u\",", i);
	pic_buf_text_add(&text, "\"redirect_neigh\"]}}]}}");
	object = object_of(pic_buf_text(&text));
	page = page_of(object);
	assert_non_null(strstr(page, "It sends packets elsewhere (redirect_neigh)."));
	assert_null(strstr(page, "functions than this page shows"));
	free(page);
	pic_object_unref(object);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_is_said),
		cmocka_unit_test(nothing_of_it_is_markup),
		cmocka_unit_test(what_devices_allow_is_said),
		cmocka_unit_test(damaged_requests_are_shown),
		cmocka_unit_test(every_phase_says_who_and_when),
		cmocka_unit_test(lengths_are_words),
		cmocka_unit_test(xdp_can_answer),
		cmocka_unit_test(helpers_that_matter),
		cmocka_unit_test(a_check_that_is_off_is_said),
		cmocka_unit_test(no_helper_that_matters_is_pushed_off_the_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
