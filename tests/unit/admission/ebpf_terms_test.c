/* The properties of an eBPF component: what is read, what is refused by name, what the digest binds. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "admission/ebpf_attach.h"
#include "admission/objects.h"
#include "base/clock.h"

static int parse(const char *text, struct pic_ebpf_terms *out, struct pic_error *err)
{
	PIC_JSON struct pic_json *properties = NULL;

	*err = (struct pic_error)PIC_ERROR_INIT;
	if (pic_json_parse(&properties, text, strlen(text), err) < 0)
		fail_msg("%s", err->text);
	return pic_ebpf_terms_parse(properties, out, err);
}

static void defaults_hold(void **state)
{
	struct pic_ebpf_terms terms;
	struct pic_error err;

	(void)state;
	assert_int_equal(
		parse("{\"ebpf.url\":\"https://x/y.o\",\"ebpf.sha256\":\"00\",\"other\":1}", &terms,
		      &err),
		0);
	assert_int_equal(terms.lease_seconds, 7200);
	assert_int_equal(terms.confirm_seconds, 15);
	assert_int_equal(terms.attach_count, 0);
	assert_int_equal(terms.until_ms, 0);
	assert_string_equal(terms.program, "");
	assert_true(pic_ebpf_terms_are_valid(&terms));
}

static void every_property_is_read(void **state)
{
	struct pic_ebpf_terms terms;
	struct pic_error err;
	int64_t until;

	(void)state;
	assert_int_equal(parse("{\"ebpf.name\":\"hello\",\"ebpf.attach\":\"xdp:eth0:drv, "
			       "tcx:lan0:egress other=tp:a/b\",\"ebpf.lease\":\"1h30m\","
			       "\"ebpf.until\":\"2026-11-24T14:00:00Z\",\"ebpf.confirm\":\"30s\","
			       "\"ebpf.tracePrefix\":\"Hello: \"}",
			       &terms, &err),
			 0);
	assert_string_equal(terms.program, "hello");
	assert_int_equal(terms.attach_count, 3);
	assert_int_equal(terms.attach[0].hook, PIC_EBPF_XDP);
	assert_int_equal(terms.attach[0].mode, PIC_EBPF_MODE_DRV);
	assert_string_equal(terms.attach[0].target, "eth0");
	assert_int_equal(terms.attach[1].mode, PIC_EBPF_EGRESS);
	assert_string_equal(terms.attach[2].program, "other");
	assert_string_equal(terms.attach[2].target, "a/b");
	assert_int_equal(terms.lease_seconds, 5400);
	assert_int_equal(pic_time_parse("2026-11-24T14:00:00Z", &until), 0);
	assert_int_equal(terms.until_ms, until);
	assert_int_equal(terms.confirm_seconds, 30);
	assert_string_equal(terms.trace_prefix, "Hello: ");
	assert_true(pic_ebpf_terms_are_valid(&terms));
	assert_int_equal(parse("{\"ebpf.confirm\":\"0\"}", &terms, &err), 0);
	assert_int_equal(terms.confirm_seconds, 0);
	assert_int_equal(parse("{\"ebpf.confirm\":\"off\"}", &terms, &err), 0);
	assert_int_equal(terms.confirm_seconds, 0);
	assert_int_equal(parse("{\"ebpf.confirm\":\"20\"}", &terms, &err), 0);
	assert_int_equal(terms.confirm_seconds, 20);
	assert_int_equal(parse("{\"ebpf.event\":\"xdpgeneric\"}", &terms, &err), 0);
	assert_int_equal(terms.attach[0].mode, PIC_EBPF_MODE_SKB);
}

static void wrong_values_are_refused_by_name(void **state)
{
	static const struct {
		const char *key, *value;
	} cases[] = {
		{ "ebpf.nmae", "\"x\"" },
		{ "ebpf.name", "\"\"" },
		{ "ebpf.name", "\"a b\"" },
		{ "ebpf.name", "\"a/b\"" },
		{ "ebpf.name", "7" },
		{ "ebpf.name",
		  "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"" },
		{ "ebpf.event", "\"kprobe\"" },
		{ "ebpf.attach", "\"\"" },
		{ "ebpf.attach", "\" , \"" },
		{ "ebpf.attach", "\"xdp:eth0:fast\"" },
		{ "ebpf.attach", "\"xdp:eth0:\"" },
		{ "ebpf.attach", "\"xdp:eth0:ingress\"" },
		{ "ebpf.attach", "\"xdp:interfacenametoolong\"" },
		{ "ebpf.attach", "\"xdp:a/b\"" },
		{ "ebpf.attach", "\"xdp:..\"" },
		{ "ebpf.attach", "\"tcx:eth0\"" },
		{ "ebpf.attach", "\"tcx:eth0:skb\"" },
		{ "ebpf.attach", "\"clsact:eth0\"" },
		{ "ebpf.attach", "\"tp:sched_switch\"" },
		{ "ebpf.attach", "\"tp:a/b/c\"" },
		{ "ebpf.attach", "\"tp:../b\"" },
		{ "ebpf.attach", "\"raw_tp:\"" },
		{ "ebpf.attach", "\"raw_tp:a/b\"" },
		{ "ebpf.attach", "\"kprobe:open\"" },
		{ "ebpf.attach", "\"=xdp\"" },
		{ "ebpf.attach", "\"a=b=xdp\"" },
		{ "ebpf.attach", "\"section:eth0\"" },
		{ "ebpf.attach", "\"xdp:eth0,xdp:eth0\"" },
		{ "ebpf.attach", "\"xdp:a,xdp:b,xdp:c,xdp:d,xdp:e,xdp:f,xdp:g,xdp:h,xdp:i\"" },
		{ "ebpf.lease", "\"0s\"" },
		{ "ebpf.lease", "\"500ms\"" },
		{ "ebpf.lease", "\"367d\"" },
		{ "ebpf.lease", "\"for ever\"" },
		{ "ebpf.until", "\"tomorrow\"" },
		{ "ebpf.confirm", "\"-1\"" },
		{ "ebpf.confirm", "\"601\"" },
		{ "ebpf.confirm", "\"1h\"" },
		{ "ebpf.tracePrefix", "\"\"" },
		{ "ebpf.tracePrefix", "\"a\\nb\"" },
		{ "ebpf.tracePrefix", "\"a\\u001b[2J\"" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pic_ebpf_terms terms, before;
		struct pic_error err;
		char text[512];
		int r;

		memset(&terms, 0x5a, sizeof(terms));
		before = terms;
		snprintf(text, sizeof(text), "{\"%s\":%s}", cases[i].key, cases[i].value);
		r = parse(text, &terms, &err);
		if (r >= 0)
			fail_msg("accepted: %s", text);
		if (!strstr(err.text, cases[i].key))
			fail_msg("%s: %s", text, err.text);
		assert_memory_equal(&terms, &before, sizeof(terms));
	}
}

static void a_typing_error_gets_a_hint(void **state)
{
	struct pic_ebpf_terms terms;
	struct pic_error err;

	(void)state;
	assert_int_equal(parse("{\"ebpf.atach\":\"xdp\"}", &terms, &err), -EINVAL);
	assert_non_null(strstr(err.text, "did you mean ebpf.attach?"));
	assert_int_equal(parse("{\"ebpf.attach\":\"xdp\",\"ebpf.event\":\"xdp\"}", &terms, &err),
			 -EINVAL);
	assert_non_null(strstr(err.text, "ebpf.attach alone"));
}

static void hooks_come_back_as_text(void **state)
{
	static const char *const texts[] = {
		"xdp",
		"xdp:eth0",
		"xdp:eth0:skb",
		"xdp::drv",
		"tcx:lan0:ingress",
		"tcx::egress",
		"clsact:eth0:egress",
		"tp:sched/sched_switch",
		"raw_tp:sched_switch",
		"section",
		"hello=xdp:eth0",
		"a.b=section",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct pic_ebpf_attach attach;
		struct pic_error err = PIC_ERROR_INIT;
		char text[PIC_EBPF_ATTACH_TEXT];

		if (pic_ebpf_attach_parse(texts[i], &attach, &err) < 0)
			fail_msg("%s", err.text);
		assert_true(pic_ebpf_attach_is_valid(&attach));
		pic_ebpf_attach_text(&attach, text, sizeof(text));
		assert_string_equal(text, texts[i]);
	}
}

/* What an agent could send in place of what parse would make. */
static void bytes_are_checked(void **state)
{
	const struct pic_ebpf_terms good = object_terms("ebpf.attach", "xdp:eth0", NULL);
	struct pic_ebpf_terms bad;

	(void)state;
	assert_true(pic_ebpf_terms_are_valid(&good));
#define REFUSE(change) \
	do { \
		bad = good; \
		change; \
		assert_false(pic_ebpf_terms_are_valid(&bad)); \
	} while (0)
	REFUSE(memset(bad.program, 'x', sizeof(bad.program)));
	REFUSE(strcpy(bad.program, "a b"));
	REFUSE(bad.attach_count = PIC_EBPF_ATTACH_MAX + 1);
	REFUSE(bad.attach[0].hook = 99);
	REFUSE(bad.attach[0].mode = 99);
	REFUSE(bad.attach[0].mode = PIC_EBPF_EGRESS);
	REFUSE(memset(bad.attach[0].target, 'x', sizeof(bad.attach[0].target)));
	REFUSE(strcpy(bad.attach[0].target, "a/../b"));
	REFUSE(memset(bad.attach[0].program, 'x', sizeof(bad.attach[0].program)));
	REFUSE(memset(bad.trace_prefix, 'x', sizeof(bad.trace_prefix)));
	REFUSE(strcpy(bad.trace_prefix, "\033"));
	REFUSE(bad.lease_seconds = 0);
	REFUSE(bad.lease_seconds = UINT32_MAX);
	REFUSE(bad.confirm_seconds = UINT32_MAX);
	REFUSE(bad.until_ms = -1);
#undef REFUSE
}

static void digest_of(const struct pic_ebpf_terms *terms, char out[2 * PIC_TERMS_SIZE + 1])
{
	unsigned char digest[PIC_TERMS_SIZE];

	pic_ebpf_terms_digest(terms, digest);
	pic_hex_encode(digest, sizeof(digest), out);
}

/* Everything that says what hooks in and how, and nothing that says when. */
static void the_digest_binds_all_but_the_time(void **state)
{
	static const char *const others[][2] = {
		{ "ebpf.name", "hello" },	   { "ebpf.attach", "xdp:eth1" },
		{ "ebpf.attach", "xdp:eth0:skb" }, { "ebpf.attach", "a=xdp:eth0" },
		{ "ebpf.attach", "xdp" },	   { "ebpf.attach", "xdp:eth0,xdp:eth1" },
		{ "ebpf.confirm", "16" },	   { "ebpf.tracePrefix", "x" },
	};
	struct pic_ebpf_terms plain = object_terms("ebpf.attach", "xdp:eth0", NULL), other;
	char first[2 * PIC_TERMS_SIZE + 1], second[2 * PIC_TERMS_SIZE + 1];

	(void)state;
	digest_of(&plain, first);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		other = strcmp(others[i][0], "ebpf.attach") == 0
				? object_terms(others[i][0], others[i][1], NULL)
				: object_terms("ebpf.attach", "xdp:eth0", others[i][0],
					       others[i][1], NULL);
		digest_of(&other, second);
		assert_string_not_equal(first, second);
	}
	other = object_terms("ebpf.attach", "xdp:eth0", "ebpf.lease", "1h", "ebpf.until",
			     "2026-11-24T14:00:00Z", "ebpf.url", "https://x/", NULL);
	digest_of(&other, second);
	assert_string_equal(first, second);
	/* what lies behind the texts' ends and the last hook does not count */
	other.program[40] = 'x';
	other.attach[3].hook = 7;
	other.attach[0].target[60] = 'x';
	digest_of(&other, second);
	assert_string_equal(first, second);
}

/* Hub and device compute it apart: a change of the writing would make old approvals void. */
static void the_digest_is_for_ever(void **state)
{
	struct pic_ebpf_terms terms = object_terms("ebpf.name", "hello", "ebpf.event", "xdp", NULL);
	char text[2 * PIC_TERMS_SIZE + 1];

	(void)state;
	digest_of(&terms, text);
	assert_string_equal(text,
			    "e3dfd7f2b195aaf5f155766075d07b8ae7b6c8d3e98df778b54e6cf0a6cb57d0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults_hold),
		cmocka_unit_test(every_property_is_read),
		cmocka_unit_test(wrong_values_are_refused_by_name),
		cmocka_unit_test(a_typing_error_gets_a_hint),
		cmocka_unit_test(hooks_come_back_as_text),
		cmocka_unit_test(bytes_are_checked),
		cmocka_unit_test(the_digest_binds_all_but_the_time),
		cmocka_unit_test(the_digest_is_for_ever),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
