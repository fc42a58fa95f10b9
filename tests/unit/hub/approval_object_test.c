/* Approval objects as the engine reads them: what is damaged allows nothing. */
#include "base/check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "hub/approval/object.h"

#define HEX64 "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define ID "0123456789abcdef0123456789abcdef"
#define ITEM \
	"{\"target\":\"edge\",\"instance\":\"app\",\"component\":\"probe\",\"type\":\"ebpf\"," \
	"\"sha256\":\"" HEX64 "\",\"terms\":\"" HEX64 "\",\"grants\":[\"kernel-read\"]}"
#define APPROVED \
	"{\"phase\":\"Approved\",\"opens\":\"2026-11-24T14:00:00.250Z\"," \
	"\"ends\":\"2026-11-24T16:00:00Z\"}"

static struct pic_object *make(enum pic_kind kind, const char *spec, const char *status)
{
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(1 << 20);
	struct pic_error err = PIC_ERROR_INIT;
	struct pic_json *json = NULL;
	struct pic_object *object = NULL;

	pic_buf_format(&text,
		       "{\"metadata\":{\"name\":\"a\",\"namespace\":\"default\"},\"spec\":%s%s%s}",
		       spec, status ? ",\"status\":" : "", status ? status : "");
	if (pic_json_parse(&json, pic_buf_text(&text), text.size, &err) < 0 ||
	    pic_object_new(&object, kind, json, &err) < 0)
		fail_msg("%s", err.text);
	return object;
}

static struct pic_approval_facts facts;

static int read_it(const char *spec, const char *status)
{
	struct pic_object *object = make(PIC_KIND_APPROVAL, spec, status);
	struct pic_error err = PIC_ERROR_INIT;

	memset(&facts, 0x5a, sizeof(facts));
	int r = pic_approval_read(object, &facts, &err);
	if (r < 0) {
		assert_contains(err.text, "approval a");
		assert_int_equal(facts.item_count, (size_t)0x5a5a5a5a5a5a5a5aULL); /* untouched */
	}
	pic_object_unref(object);
	return r;
}

static void a_whole_one_is_read(void **state)
{
	(void)state;
	assert_int_equal(read_it("{\"id\":\"" ID "\",\"items\":[" ITEM "," ITEM "]}", APPROVED), 0);
	assert_int_equal(facts.phase, PIC_APPROVAL_APPROVED);
	assert_int_equal(facts.item_count, 2);
	assert_string_equal(facts.items[1].target, "edge");
	assert_string_equal(facts.items[1].name.instance, "app");
	assert_string_equal(facts.items[1].name.component, "probe");
	assert_string_equal(facts.items[1].type, "ebpf");
	assert_int_equal(facts.items[1].digest[1], 0x11);
	assert_int_equal(facts.items[1].terms[31], 0xff);
	assert_int_equal(facts.items[1].grants, PIC_GRANT_KERNEL_READ);
	assert_int_equal(facts.id[0], 0x01);
	assert_int_equal(facts.ends_ms - facts.opens_ms, 2 * 3600 * 1000 - 250);
}

static void undecided_ones_have_no_times(void **state)
{
	(void)state;
	assert_int_equal(read_it("{\"id\":\"" ID "\",\"items\":[" ITEM "]}", NULL), 0);
	assert_int_equal(facts.phase, PIC_APPROVAL_PENDING);
	assert_int_equal(facts.ends_ms, 0);
	assert_int_equal(read_it("{\"id\":\"" ID "\"}",
				 "{\"phase\":\"Rejected\",\"ends\":\"2030-01-01T00:00:00Z\"}"),
			 0);
	assert_int_equal(facts.phase, PIC_APPROVAL_REJECTED);
	assert_int_equal(facts.ends_ms, 0);
	assert_int_equal(facts.item_count, 0);
}

static void damaged_ones_are_refused(void **state)
{
	static const char *const specs[] = {
		"{}",
		"[]",
		"{\"id\":7}",
		"{\"id\":\"" ID "0\"}",
		"{\"id\":\"0123456789ABCDEF0123456789abcdef\"}",
		"{\"id\":\"" ID "\",\"items\":{}}",
		"{\"id\":\"" ID "\",\"items\":[7]}",
		"{\"id\":\"" ID "\",\"items\":[{}]}",
		"{\"id\":\"" ID "\",\"items\":[" ITEM ",null]}",
		"{\"id\":\"" ID "\",\"items\":\"none\"}",
	};
	(void)state;
	for (size_t i = 0; i < PIC_COUNT(specs); i++)
		assert_int_equal(read_it(specs[i], APPROVED), -EINVAL);
}

static void each_field_of_an_item_counts(void **state)
{
	static const struct {
		const char *from, *to;
	} edits[] = {
		{ "\"edge\"", "\"Edge\"" },
		{ "\"edge\"", "\"\"" },
		{ "\"edge\"", "\"../x\"" },
		{ "\"app\"", "7" },
		{ "\"probe\"", "\"a/b\"" },
		{ "\"probe\"", "null" },
		{ "\"ebpf\"", "\"\"" },
		{ "\"ebpf\"", "\"a-type-that-is-too-long\"" },
		{ "\"sha256\"", "\"sha512\"" },
		{ "\"terms\"", "\"term\"" },
		{ "[\"kernel-read\"]", "[\"kernel-write\"]" },
		{ "[\"kernel-read\"]", "[7]" },
		{ "[\"kernel-read\"]", "\"kernel-read\"" },
		{ "\"terms\":\"0011", "\"terms\":\"0x11" },
		{ "\"sha256\":\"0011", "\"sha256\":\"011" },
	};
	(void)state;
	for (size_t i = 0; i < PIC_COUNT(edits); i++) {
		PIC_BUF struct pic_buf spec = PIC_BUF_INIT(4096);
		const char *item = ITEM, *at = strstr(item, edits[i].from);

		assert_non_null(at);
		pic_buf_format(&spec, "{\"id\":\"" ID "\",\"items\":[%.*s%s%s]}", (int)(at - item),
			       item, edits[i].to, at + strlen(edits[i].from));
		if (read_it(pic_buf_text(&spec), APPROVED) != -EINVAL)
			fail_msg("%s was taken", pic_buf_text(&spec));
	}
}

static void too_many_items_are_refused(void **state)
{
	PIC_BUF struct pic_buf spec = PIC_BUF_INIT(1 << 20);

	(void)state;
	pic_buf_text_add(&spec, "{\"id\":\"" ID "\",\"items\":[" ITEM);
	for (int i = 1; i < PIC_APPROVAL_ITEMS_MAX; i++)
		pic_buf_text_add(&spec, "," ITEM);
	PIC_BUF struct pic_buf one_more = PIC_BUF_INIT(1 << 20);
	pic_buf_format(&one_more, "%s," ITEM "]}", pic_buf_text(&spec));
	pic_buf_text_add(&spec, "]}");
	assert_int_equal(read_it(pic_buf_text(&spec), APPROVED), 0);
	assert_int_equal(facts.item_count, PIC_APPROVAL_ITEMS_MAX);
	assert_int_equal(read_it(pic_buf_text(&one_more), APPROVED), -EINVAL);
}

static void an_approved_one_needs_its_window(void **state)
{
	static const char *const statuses[] = {
		"{\"phase\":\"approved\"}",
		"{\"phase\":7}",
		"{\"phase\":\"Approved\"}",
		"{\"phase\":\"Approved\",\"opens\":\"2026-11-24T14:00:00Z\"}",
		"{\"phase\":\"Approved\",\"opens\":\"2026-11-24T14:00:00Z\",\"ends\":\"soon\"}",
		"{\"phase\":\"Approved\",\"opens\":\"2026-11-24T14:00:00Z\","
		"\"ends\":\"2026-11-24T14:00:00Z\"}",
		"{\"phase\":\"Ended\",\"opens\":\"2026-11-24T14:00:00Z\","
		"\"ends\":\"2026-11-24T13:00:00Z\"}",
	};
	(void)state;
	for (size_t i = 0; i < PIC_COUNT(statuses); i++)
		assert_int_equal(read_it("{\"id\":\"" ID "\"}", statuses[i]), -EINVAL);
}

static void another_kind_is_none(void **state)
{
	struct pic_object *object =
		make(PIC_KIND_CATALOG, "{\"id\":\"" ID "\",\"items\":[" ITEM "]}", APPROVED);

	(void)state;
	assert_int_equal(pic_approval_read(object, &facts, NULL), -EINVAL);
	pic_object_unref(object);
}

static void phases_move_one_way(void **state)
{
	/* rows from, columns to, in the order of the enum */
	static const char *const moves[] = { ".AR.X.", "...V.E", "......",
					     "......", "......", "......" };
	(void)state;
	for (int from = 0; from <= PIC_APPROVAL_ENDED; from++)
		for (int to = 0; to <= PIC_APPROVAL_ENDED; to++)
			assert_int_equal(pic_approval_may_move(from, to), moves[from][to] != '.');
	assert_string_equal(pic_approval_phase_text(PIC_APPROVAL_ENDED), "Ended");
}

#define NOW 1795528800000LL /* 2026-11-24T14:00:00Z */

static void check_window(const char *spec, int64_t opens, int64_t ends)
{
	struct pic_object *object = make(PIC_KIND_APPROVAL, spec, NULL);
	struct pic_error err = PIC_ERROR_INIT;
	int64_t got_opens, got_ends;

	if (pic_approval_window(object, NOW, &got_opens, &got_ends, &err) < 0)
		fail_msg("%s: %s", spec, err.text);
	assert_int_equal(got_opens, opens);
	assert_int_equal(got_ends, ends);
	pic_object_unref(object);
}

static void check_no_window(const char *spec, int code)
{
	struct pic_object *object = make(PIC_KIND_APPROVAL, spec, NULL);
	int64_t opens, ends;

	assert_int_equal(pic_approval_window(object, NOW, &opens, &ends, NULL), code);
	pic_object_unref(object);
}

static void the_window_is_fixed_by_the_decision(void **state)
{
	(void)state;
	check_window("{\"lengthSeconds\":60}", NOW, NOW + 60000);
	check_window("{\"closes\":\"2026-11-24T15:00:00Z\"}", NOW, NOW + 3600000);
	check_window("{\"opens\":\"2026-11-24T15:00:00Z\",\"lengthSeconds\":60}", NOW + 3600000,
		     NOW + 3660000);
	/* decided late: what is left of it */
	check_window("{\"opens\":\"2026-11-24T13:00:00Z\",\"closes\":\"2026-11-24T15:00:00Z\"}",
		     NOW, NOW + 3600000);
	/* not longer than the devices allow */
	check_window("{\"closes\":\"2026-11-24T15:00:00Z\",\"leaseMaxSeconds\":60}", NOW,
		     NOW + 60000);
	check_window("{\"closes\":\"2026-11-24T15:00:00Z\",\"leaseMaxSeconds\":7200}", NOW,
		     NOW + 3600000);
	check_no_window("{\"closes\":\"2026-11-24T14:00:00Z\"}", -ETIME);
	check_no_window("{\"opens\":\"2026-11-24T16:00:00Z\",\"closes\":\"2026-11-24T15:00:00Z\"}",
			-ETIME);
	check_no_window("{}", -EINVAL);
	check_no_window("{\"lengthSeconds\":0}", -EINVAL);
	check_no_window("{\"lengthSeconds\":-5}", -EINVAL);
	check_no_window("{\"lengthSeconds\":99999999999}", -EINVAL);
}

static void times_keep_their_milliseconds(void **state)
{
	char text[PIC_TIME_TEXT];
	int64_t back;

	(void)state;
	pic_approval_time_text(NOW + 7, text);
	assert_string_equal(text, "2026-11-24T14:00:00.007Z");
	assert_int_equal(pic_time_parse(text, &back), 0);
	assert_int_equal(back, NOW + 7);
}

static void addresses_cannot_carry_a_command(void **state)
{
	static const char *const good[] = { "a@b", "op.s+x@edge.example", "o'n@a-b.test" };
	static const char *const bad[] = {
		"",	 "a",	 "@b",	    "a@",	  "a@b\r\nc",	   "a b@c",
		"<a@b>", "a@b>", "a@b@c",   "\"a\"@b",	  "a@[127.0.0.1]", ".a@b",
		"a.@b",	 "a@-b", "a@b,c@d", "\xc3\xa4@b", "a@b\n",	   "a@b NOTIFY"
	};
	(void)state;
	for (size_t i = 0; i < PIC_COUNT(good); i++)
		assert_true(pic_approval_mail_is_valid(good[i]));
	for (size_t i = 0; i < PIC_COUNT(bad); i++)
		if (pic_approval_mail_is_valid(bad[i]))
			fail_msg("\"%s\" was taken", bad[i]);
	assert_false(pic_approval_mail_is_valid(NULL));
}

static void approvers_are_named_without_case(void **state)
{
	struct pic_object *object =
		make(PIC_KIND_APPROVAL, "{\"approvers\":[7,\"Ops@Edge.test\"]}", NULL);

	(void)state;
	assert_true(pic_approval_names(object, "ops@edge.test"));
	assert_false(pic_approval_names(object, "ops@edge"));
	pic_object_unref(object);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_one_is_read),
		cmocka_unit_test(undecided_ones_have_no_times),
		cmocka_unit_test(damaged_ones_are_refused),
		cmocka_unit_test(each_field_of_an_item_counts),
		cmocka_unit_test(too_many_items_are_refused),
		cmocka_unit_test(an_approved_one_needs_its_window),
		cmocka_unit_test(another_kind_is_none),
		cmocka_unit_test(phases_move_one_way),
		cmocka_unit_test(the_window_is_fixed_by_the_decision),
		cmocka_unit_test(times_keep_their_milliseconds),
		cmocka_unit_test(addresses_cannot_carry_a_command),
		cmocka_unit_test(approvers_are_named_without_case),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
