/* Whether an offered document is taken, case by case. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <errno.h>
#include <cmocka.h>

#include "agent/plan/accept.h"

static const unsigned char one[PIC_DIGEST_SIZE] = { 1 }, two[PIC_DIGEST_SIZE] = { 2 };

static struct pic_document document(const char *epoch, int64_t revision)
{
	struct pic_document made = { .revision = revision };

	snprintf(made.epoch, sizeof(made.epoch), "%s", epoch);
	snprintf(made.device, sizeof(made.device), "box");
	return made;
}

static struct pic_acceptance acceptance(const char *epoch, int64_t revision, const char *confirmed)
{
	struct pic_acceptance made = { .revision = revision };

	snprintf(made.epoch, sizeof(made.epoch), "%s", epoch);
	snprintf(made.confirmed, sizeof(made.confirmed), "%s", confirmed);
	memcpy(made.digest, one, sizeof(made.digest));
	return made;
}

static void cases(void **state)
{
	static const struct {
		const char *epoch; /* in force */
		int64_t revision;
		const char *confirmed;
		const char *offered_epoch;
		int64_t offered_revision;
		const unsigned char *digest;
		bool confirmed_now;
		enum pic_accept verdict;
		const char *sentence;
	} table[] = {
		{ "aa", 5, "aa", "aa", 6, two, false, PIC_ACCEPT_NEW, "" },
		{ "aa", 5, "aa", "aa", 5, one, false, PIC_ACCEPT_SAME, "" },
		{ "aa", 5, "aa", "aa", 5, two, false, PIC_ACCEPT_REFUSED,
		  "revision 5 again with other" },
		{ "aa", 5, "aa", "aa", 4, two, false, PIC_ACCEPT_REFUSED, "older than revision 5" },
		{ "aa", 5, "aa", "aa", 4, two, true, PIC_ACCEPT_REFUSED, "older than revision 5" },
		{ "aa", 5, "aa", "bb", 9, two, false, PIC_ACCEPT_REFUSED, "accept-epoch box" },
		{ "aa", 5, "aa", "bb", 1, two, true, PIC_ACCEPT_NEW, "" },
		/* joined afresh: what the token's hub said counts, not what was in force */
		{ "aa", 5, "bb", "bb", 1, two, false, PIC_ACCEPT_NEW, "" },
		{ "aa", 5, "bb", "cc", 1, two, false, PIC_ACCEPT_REFUSED, "another one" },
		{ "", 0, "aa", "aa", 1, two, false, PIC_ACCEPT_NEW, "" },
		{ "", 0, "aa", "bb", 1, two, false, PIC_ACCEPT_REFUSED, "known is aa" },
		{ "", 0, "", "bb", 1, two, false, PIC_ACCEPT_NEW, "" },
	};

	(void)state;
	for (size_t i = 0; i < PIC_COUNT(table); i++) {
		struct pic_acceptance have =
			acceptance(table[i].epoch, table[i].revision, table[i].confirmed);
		struct pic_document offered =
			document(table[i].offered_epoch, table[i].offered_revision);
		struct pic_error err = PIC_ERROR_INIT;

		if (pic_accept_document(&have, "box", &offered, table[i].digest,
					table[i].confirmed_now, 0, &err) != table[i].verdict)
			fail_msg("case %zu: %s", i, err.text);
		if (!strstr(err.text, table[i].sentence))
			fail_msg("case %zu says: %s", i, err.text);
	}
}

static void somebody_elses_is_refused(void **state)
{
	struct pic_acceptance have = acceptance("aa", 5, "aa");
	struct pic_document offered = document("aa", 6);
	struct pic_error err = PIC_ERROR_INIT;

	(void)state;
	assert_int_equal(pic_accept_document(&have, "tin", &offered, two, true, 0, &err),
			 PIC_ACCEPT_REFUSED);
	assert_non_null(strstr(err.text, "for 'box', this device is 'tin'"));
}

static void name(struct pic_workload_name *out, const char *component)
{
	snprintf(out->instance, sizeof(out->instance), "app");
	snprintf(out->component, sizeof(out->component), "%s", component);
}

static void silence_keeps_and_names_let_go(void **state)
{
	struct pic_document_component old_components[3] = { { .revision = 8 },
							    { .revision = 2 },
							    { .revision = 3 } };
	struct pic_document_component kept_components[1] = { { .revision = 1 } };
	struct pic_document_component next_components[1] = { { .revision = 1 } };
	struct pic_document_removed next_removed[1] = { { .revision = 1 } };
	struct pic_document old = document("aa", 9), kept = document("aa", 4),
			    next = document("bb", 1);
	struct pic_document *out = NULL;
	char dependency[1][PIC_NAME_MAX + 1] = { "other" };

	(void)state;
	name(&old_components[0].name, "silent");
	old_components[0].url = (char *)"https://h/x";
	old_components[0].dependencies = dependency;
	old_components[0].dependency_count = 1;
	name(&old_components[1].name, "listed");
	name(&old_components[2].name, "removed");
	name(&kept_components[0].name, "kept");
	name(&next_components[0].name, "listed");
	name(&next_removed[0].name, "removed");
	old.components = old_components;
	old.component_count = 3;
	kept.components = kept_components;
	kept.component_count = 1;
	next.components = next_components;
	next.component_count = 1;
	next.removed = next_removed;
	next.removed_count = 1;
	assert_int_equal(pic_accept_kept(&kept, &old, &next, 0, &out, NULL), 0);
	assert_int_equal(out->component_count, 2);
	assert_string_equal(out->components[0].name.component, "kept");
	assert_string_equal(out->components[1].name.component, "silent");
	assert_string_equal(out->components[1].url, "https://h/x");
	assert_string_equal(out->components[1].dependencies[0], "other");
	assert_int_equal(out->revision,
			 8); /* a revision of an epoch that had come further is still readable */
	assert_int_equal(out->removed_count, 0);
	pic_document_free(out);

	out = (void *)1;
	assert_int_equal(pic_accept_kept(NULL, NULL, &next, 0, &out, NULL), 0);
	assert_null(out);
}

static void too_many_are_an_error(void **state)
{
	struct pic_document_component *many =
		calloc(PIC_DOCUMENT_COMPONENTS_MAX + 1, sizeof(*many));
	struct pic_document old = document("aa", 9), next = document("aa", 10), *out = NULL;
	struct pic_error err = PIC_ERROR_INIT;

	(void)state;
	for (int i = 0; i <= PIC_DOCUMENT_COMPONENTS_MAX; i++) {
		char text[16];

		snprintf(text, sizeof(text), "c%d", i);
		name(&many[i].name, text);
	}
	old.components = many;
	old.component_count = PIC_DOCUMENT_COMPONENTS_MAX + 1;
	assert_int_equal(pic_accept_kept(NULL, &old, &next, 0, &out, &err), -E2BIG);
	assert_null(out);
	free(many);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cases),
		cmocka_unit_test(somebody_elses_is_refused),
		cmocka_unit_test(silence_keeps_and_names_let_go),
		cmocka_unit_test(too_many_are_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
