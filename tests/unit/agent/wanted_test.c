/* A document turned into what the plan compares with, by the real drivers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <errno.h>
#include <cmocka.h>

#include "admission/policy.h"
#include "agent/plan/wanted.h"

#define SHA "1111111111111111111111111111111111111111111111111111111111111111"
#define HEAD \
	"{\"protocol\":1,\"epoch\":\"00112233445566778899aabbccddeeff\",\"revision\":7," \
	"\"device\":\"box\",\"issued-at\":\"2026-11-24T14:00:00Z\","

static struct pic_document *parse(const char *text)
{
	struct pic_document *document = NULL;
	struct pic_error err = PIC_ERROR_INIT;

	if (pic_document_parse(&document, text, strlen(text), &err) < 0)
		fail_msg("%s", err.text);
	return document;
}

static struct pic_wanted make(const char *components, const struct pic_policy *policy)
{
	char text[4096];
	struct pic_document *document;
	struct pic_wanted wanted;

	snprintf(text, sizeof(text), HEAD "\"components\":[%s]}", components);
	document = parse(text);
	assert_int_equal(pic_wanted_make(&wanted, document, NULL, policy, NULL), 0);
	pic_document_free(document);
	return wanted;
}

#define WEB(type, extra, properties) \
	"{\"instance\":\"app\",\"component\":\"web\",\"type\":\"" type "\",\"revision\":1," extra \
	"\"properties\":{" properties "}}"

static void each_component_is_asked_for_once(void **state)
{
	struct pic_wanted a =
		make(WEB("wasm", "\"sha256\":\"" SHA "\",", "\"wasm.listen\":\"8085\""), NULL);
	struct pic_wanted same =
		make(WEB("wasm", "\"sha256\":\"" SHA "\",", "\"wasm.listen\":\"tcp:8085\""), NULL);
	struct pic_wanted other =
		make(WEB("wasm", "\"sha256\":\"" SHA "\",", "\"wasm.listen\":\"8086\""), NULL);
	void *spec = NULL;
	size_t size = 0;

	(void)state;
	assert_null(a.components[0].problem);
	assert_memory_equal(a.components[0].spec_digest, same.components[0].spec_digest,
			    PIC_DIGEST_SIZE);
	assert_memory_not_equal(a.components[0].spec_digest, other.components[0].spec_digest,
				PIC_DIGEST_SIZE);
	assert_int_equal(pic_wanted_spec(&a, 0, &spec, &size, NULL), 0);
	assert_in_range(size, 1, PIC_SPEC_MAX);
	free(spec);
	pic_wanted_clear(&a);
	pic_wanted_clear(&same);
	pic_wanted_clear(&other);
}

static void properties_name_artifact_and_restart(void **state)
{
	struct pic_wanted wanted = make(WEB("wasm", "",
					    "\"wasm.url\":\"https://h/x\",\"wasm.sha256\":\"" SHA
					    "\",\"wasm.restart\":\"on-failure\""),
					NULL);

	(void)state;
	assert_true(wanted.components[0].has_digest);
	assert_int_equal(wanted.components[0].digest[0], 0x11);
	assert_string_equal(wanted.sources[0].url, "https://h/x");
	assert_int_equal(wanted.components[0].restart, PIC_RESTART_ON_FAILURE);
	pic_wanted_clear(&wanted);
}

static void what_cannot_run_is_said(void **state)
{
	static const struct {
		const char *component, *reason, *sentence;
	} bad[] = {
		{ WEB("ballet", "", ""), "UnknownType",
		  "does not know components of type 'ballet'" },
		{ WEB("wasm", "\"sha256\":\"" SHA "\",", "\"wasm.memory\":\"lots\""),
		  "InvalidProperties", "wasm.memory" },
		{ WEB("wasm", "", ""), "NoArtifact", "set wasm.sha256" },
	};

	(void)state;
	for (size_t i = 0; i < PIC_COUNT(bad); i++) {
		struct pic_wanted wanted = make(bad[i].component, NULL);

		assert_non_null(wanted.components[0].problem);
		assert_string_equal(wanted.components[0].problem_reason, bad[i].reason);
		if (!strstr(wanted.components[0].problem, bad[i].sentence))
			fail_msg("says: %s", wanted.components[0].problem);
		pic_wanted_clear(&wanted);
	}
}

static void policy_is_asked_and_asked_again(void **state)
{
	static const char strict[] = "allow wasm\nusers 1000-2000\nlisten tcp 9000\n";
	static const char loose[] = "allow wasm\nusers 1000-2000\nlisten tcp 8085\n";
	struct pic_policy *policy = calloc(1, sizeof(*policy));
	struct pic_wanted wanted;

	(void)state;
	assert_int_equal(pic_policy_parse(policy, strict, strlen(strict), "p", NULL), 0);
	wanted = make(WEB("wasm", "\"sha256\":\"" SHA "\",", "\"wasm.listen\":\"8085\""), policy);
	assert_non_null(strstr(wanted.components[0].refusal, "listen tcp 8085"));
	assert_int_equal(pic_policy_parse(policy, loose, strlen(loose), "p", NULL), 0);
	pic_wanted_judge(&wanted, policy);
	assert_null(wanted.components[0].refusal);
	pic_wanted_judge(&wanted, NULL); /* unknown is not refused: the supervisor decides */
	assert_null(wanted.components[0].refusal);
	free(policy);
	pic_wanted_clear(&wanted);
}

static void what_was_learned_stays_with_the_spec(void **state)
{
	struct pic_wanted old = make(WEB("wasm", "\"sha256\":\"" SHA "\",", ""), NULL);
	struct pic_wanted same = make(WEB("wasm", "\"sha256\":\"" SHA "\",", ""), NULL);
	struct pic_wanted other =
		make(WEB("wasm", "\"sha256\":\"" SHA "\",", "\"wasm.memory\":\"1M\""), NULL);

	(void)state;
	old.components[0].ends = 3;
	pic_wanted_note_start(&old, 0, -ENOMEM, "no room", 1000);
	pic_wanted_note_verdict(&old, 0, -EINVAL, "damaged", 1000);
	pic_wanted_inherit(&same, &old);
	assert_int_equal(same.components[0].ends, 3);
	assert_string_equal(same.components[0].failure, "no room");
	assert_int_equal(same.components[0].verdict, PIC_VERDICT_BAD);
	assert_string_equal(same.components[0].verdict_text, "damaged");
	pic_wanted_inherit(&other, &same);
	assert_int_equal(other.components[0].ends, 0);
	assert_null(other.components[0].failure);
	assert_int_equal(other.components[0].verdict, PIC_VERDICT_NONE);
	pic_wanted_clear(&old);
	pic_wanted_clear(&same);
	pic_wanted_clear(&other);
}

static void failed_starts_wait_longer_each_time(void **state)
{
	struct pic_wanted wanted = make(WEB("wasm", "\"sha256\":\"" SHA "\",", ""), NULL);
	int64_t last = 0;

	(void)state;
	for (int i = 0; i < 4; i++) {
		pic_wanted_note_start(&wanted, 0, -EPERM, "no", 1000);
		assert_true(wanted.components[0].failure_is_refusal);
		assert_true(wanted.components[0].retry_boot_ms - 1000 > last);
		last = wanted.components[0].retry_boot_ms - 1000;
	}
	pic_wanted_note_start(&wanted, 0, 0, "", 1000);
	assert_null(wanted.components[0].failure);
	pic_wanted_note_start(&wanted, 0, -EIO, "no", 1000);
	assert_false(wanted.components[0].failure_is_refusal);
	assert_int_equal(wanted.components[0].retry_boot_ms, 2000);
	pic_wanted_clear(&wanted);
}

static void kept_components_are_orphans(void **state)
{
	struct pic_document *document = parse(HEAD "\"components\":[" WEB(
		"wasm", "\"sha256\":\"" SHA "\",",
		"") "],"
		    "\"removed\":[{\"instance\":\"app\",\"component\":\"x\",\"revision\":2}]}");
	struct pic_document *kept =
		parse(HEAD "\"components\":[{\"instance\":\"app\",\"component\":\"old\","
			   "\"type\":\"wasm\",\"revision\":1,\"sha256\":\"" SHA "\"}]}");
	struct pic_wanted wanted, again;

	(void)state;
	assert_int_equal(pic_wanted_make(&wanted, document, kept, NULL, NULL), 0);
	assert_int_equal(wanted.count, 2);
	assert_false(wanted.components[0].orphaned);
	assert_true(wanted.components[1].orphaned);
	assert_int_equal(wanted.removed_count, 1);
	wanted.removed[0].proved = true;
	assert_int_equal(pic_wanted_make(&again, document, kept, NULL, NULL), 0);
	pic_wanted_inherit(&again, &wanted);
	assert_true(again.removed[0].proved); /* the same removal needs one proof */
	pic_wanted_clear(&wanted);
	pic_wanted_clear(&again);
	pic_document_free(document);
	pic_document_free(kept);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_component_is_asked_for_once),
		cmocka_unit_test(properties_name_artifact_and_restart),
		cmocka_unit_test(what_cannot_run_is_said),
		cmocka_unit_test(policy_is_asked_and_asked_again),
		cmocka_unit_test(what_was_learned_stays_with_the_spec),
		cmocka_unit_test(failed_starts_wait_longer_each_time),
		cmocka_unit_test(kept_components_are_orphans),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
