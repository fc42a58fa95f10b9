/* Label and field selectors: what they accept, refuse and match. */
#include "hub/kube_testing.h"

#include <errno.h>

#include "hub/kube_api/selector.h"

static const struct pic_kind_facts target_kind = { .kind = PIC_KIND_TARGET };
static const struct pic_kind_facts event_kind = { .kind = PIC_KIND_EVENT };

static bool labels(const char *selector, const char *labels_text)
{
	PIC_SELECTOR struct pic_selector parsed = { 0 };
	PIC_BUF struct pic_buf object = PIC_BUF_INIT(4096);
	struct pic_error err = PIC_ERROR_INIT;

	if (pic_selector_parse_labels(selector, &parsed, &err) < 0)
		fail_msg("%s: %s", selector, err.text);
	pic_buf_format(&object, "{\"metadata\":{\"labels\":%s}}", labels_text);
	PIC_JSON struct pic_json *json = tree(pic_buf_text(&object));
	return pic_selector_match_labels(&parsed, json);
}

static void refused(const char *selector)
{
	struct pic_selector parsed = { 0 };
	struct pic_error err = PIC_ERROR_INIT;

	if (pic_selector_parse_labels(selector, &parsed, &err) != -EINVAL)
		fail_msg("accepted: %s", selector);
	assert_null(parsed.text);
	assert_true(err.text[0]);
}

static void equality(void **state)
{
	(void)state;
	assert_true(labels("", "{}"));
	assert_true(labels("a=b", "{\"a\":\"b\"}"));
	assert_true(labels("a==b", "{\"a\":\"b\"}"));
	assert_true(labels(" a = b ", "{\"a\":\"b\"}"));
	assert_false(labels("a=b", "{\"a\":\"c\"}"));
	assert_false(labels("a=b", "{}"));
	assert_true(labels("a=", "{\"a\":\"\"}"));
	assert_true(labels("a!=b", "{\"a\":\"c\"}"));
	assert_true(labels("a!=b", "{}"));
	assert_false(labels("a!=b", "{\"a\":\"b\"}"));
	assert_true(labels("x.io/a-b=1_2.3", "{\"x.io/a-b\":\"1_2.3\"}"));
}

static void sets_and_existence(void **state)
{
	(void)state;
	assert_true(labels("a in (x,y)", "{\"a\":\"y\"}"));
	assert_true(labels("a in ( x , y )", "{\"a\":\"x\"}"));
	assert_false(labels("a in (x,y)", "{\"a\":\"z\"}"));
	assert_false(labels("a in (x)", "{}"));
	assert_true(labels("a notin (x,y)", "{}"));
	assert_false(labels("a notin (x,y)", "{\"a\":\"x\"}"));
	assert_true(labels("a in (,x)", "{\"a\":\"\"}"));
	assert_true(labels("a", "{\"a\":\"\"}"));
	assert_false(labels("a", "{}"));
	assert_true(labels("!a", "{}"));
	assert_false(labels("!a", "{\"a\":\"1\"}"));
	assert_true(labels("in in (in)", "{\"in\":\"in\"}"));
}

static void comma_means_and(void **state)
{
	(void)state;
	assert_true(labels("a=1,b in (2,3),!c", "{\"a\":\"1\",\"b\":\"3\"}"));
	assert_false(labels("a=1,b in (2,3),!c", "{\"a\":\"1\",\"b\":\"3\",\"c\":\"\"}"));
	assert_false(labels("a=1,b in (2,3) , c", "{\"a\":\"1\",\"b\":\"3\"}"));
	assert_true(labels("a,b", "{\"a\":\"1\",\"b\":\"3\"}"));
	assert_false(labels("b,a=2", "{\"a\":\"1\",\"b\":\"3\"}"));
}

static void bad_label_selectors(void **state)
{
	(void)state;
	refused(",a");
	refused("a,,b");
	refused("a b");
	refused("a in");
	refused("a in x");
	refused("a in (x");
	refused("a in (x) y");
	refused("a between (x)");
	refused("!a=b");
	refused("a=b=c");
	refused("a!b");
	refused("a>");
	refused("-a");
	refused("a/b/c");
	refused("a=-b");
	refused("A_/x");
	refused("a=b/c");
	PIC_BUF struct pic_buf many = PIC_BUF_INIT(65536);
	for (int i = 0; i < PIC_SELECTOR_TERMS_MAX + 1; i++)
		pic_buf_format(&many, "%sk%d", i ? "," : "", i);
	refused(pic_buf_text(&many));
	pic_buf_clear(&many);
	for (int i = 0; i < PIC_SELECTOR_TEXT_MAX; i++)
		pic_buf_text_add(&many, "aa");
	refused(pic_buf_text(&many));
	pic_buf_clear(&many);
	pic_buf_text_add(&many, "a in (b");
	for (int i = 0; i < PIC_SELECTOR_VALUES_MAX; i++)
		pic_buf_text_add(&many, ",b");
	pic_buf_text_add(&many, ")");
	refused(pic_buf_text(&many));
}

static bool fields(const char *selector, const struct pic_kind_facts *facts, const char *object)
{
	PIC_SELECTOR struct pic_selector parsed = { 0 };
	PIC_JSON struct pic_json *json = tree(object);
	struct pic_error err = PIC_ERROR_INIT;

	if (pic_selector_parse_fields(selector, facts, &parsed, &err) < 0)
		fail_msg("%s: %s", selector, err.text);
	return pic_selector_match_fields(&parsed, json);
}

static void field_selectors(void **state)
{
	const char *target = "{\"metadata\":{\"name\":\"t\",\"namespace\":\"d\"}}";
	const char *event =
		"{\"metadata\":{\"name\":\"e\"},\"involvedObject\":{\"kind\":\"Target\",\"uid\":\"u\"}}";

	(void)state;
	assert_true(fields("", &target_kind, target));
	assert_true(fields("metadata.name=t", &target_kind, target));
	assert_true(fields("metadata.name==t,metadata.namespace!=x", &target_kind, target));
	assert_false(fields("metadata.name=t,metadata.namespace=x", &target_kind, target));
	assert_false(fields("metadata.name!=t", &target_kind, target));
	assert_true(fields("involvedObject.kind=Target,involvedObject.uid=u", &event_kind, event));
	assert_false(fields("involvedObject.kind=Instance", &event_kind, event));
	assert_true(fields("involvedObject.name=", &event_kind, event)); /* absent is empty */
	assert_false(fields("metadata.name=a\\,b", &target_kind, target));
}

static void bad_field_selectors(void **state)
{
	struct pic_selector parsed = { 0 };
	struct pic_error err = PIC_ERROR_INIT;

	(void)state;
	assert_int_equal(pic_selector_parse_fields("spec.x=1", &target_kind, &parsed, &err),
			 -EINVAL);
	assert_string_equal(err.text, "field label not supported: spec.x");
	assert_int_equal(pic_selector_parse_fields("metadata.name", &target_kind, &parsed, &err),
			 -EINVAL);
	assert_int_equal(pic_selector_parse_fields("involvedObject.uid=u", &target_kind, &parsed,
						   &err),
			 -EINVAL);
	assert_null(parsed.text);
}

static void name_look_up(void **state)
{
	PIC_SELECTOR struct pic_selector parsed = { 0 };

	(void)state;
	assert_int_equal(pic_selector_parse_fields("metadata.namespace!=x,metadata.name=a\\,b",
						   &target_kind, &parsed, NULL),
			 0);
	assert_string_equal(pic_selector_equals(&parsed, "metadata.name"), "a,b");
	assert_null(pic_selector_equals(&parsed, "metadata.namespace"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equality),	   cmocka_unit_test(sets_and_existence),
		cmocka_unit_test(comma_means_and), cmocka_unit_test(bad_label_selectors),
		cmocka_unit_test(field_selectors), cmocka_unit_test(bad_field_selectors),
		cmocka_unit_test(name_look_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
