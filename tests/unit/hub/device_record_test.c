/* The record of a device: what it may claim, what it was given, what ends a quarantine. */
#include "base/check.h"

#include <stdio.h>

#include "base/cleanup.h"
#include "hub/device_api/record.h"

#define EPOCH "0123456789abcdef0123456789abcdef"
#define OTHER "ffffffffffffffffffffffffffffffff"

static struct pic_object *stored(struct pic_json *json)
{
	struct pic_object *object = NULL;

	assert_int_equal(pic_object_new(&object, PIC_KIND_DEVICE, json, NULL), 0);
	return object;
}

static struct pic_object *enrolled(void)
{
	struct pic_record_enrolment enrolment = { .name = "tiny-edge",
						  .epoch = EPOCH,
						  .serial = "1" };

	return stored(pic_record_enrol(NULL, &enrolment));
}

/* The record after `json` was put in place of `object`. */
static struct pic_object *after(struct pic_object *object, struct pic_json *json)
{
	struct pic_object *next = stored(json);

	pic_object_unref(object);
	return next;
}

static struct pic_json *with_revision(const struct pic_object *object, long long revision)
{
	struct pic_json *json = pic_record_edit(object);

	pic_json_set_integer(pic_json_get(json, "status"), "revision", revision);
	return json;
}

static struct pic_claim claim_of(const char *epoch, int64_t revision, unsigned char digest)
{
	struct pic_claim claim = { .revision = revision };

	strcpy(claim.epoch, epoch);
	memset(claim.digest.bytes, digest, sizeof(claim.digest.bytes));
	return claim;
}

static struct pic_object *give(struct pic_object *object, const struct pic_claim *claim,
			       int64_t revision, unsigned char digest)
{
	struct pic_given_document given = { .revision = revision, .issued_ms = 1000 * revision };
	struct pic_json *json = with_revision(object, revision);

	memset(given.digest.bytes, digest, sizeof(given.digest.bytes));
	pic_record_give(json, claim, &given);
	return after(object, json);
}

static void assert_judged(const struct pic_object *object, const char *epoch, int64_t revision,
			  unsigned char digest, enum pic_claim_kind kind)
{
	struct pic_claim claim = claim_of(epoch, revision, digest);

	assert_int_equal(pic_record_judge(object, &claim), kind);
}

static void claims_are_judged(void **state)
{
	struct pic_claim nothing = { .revision = 0 };
	struct pic_object *object = enrolled();

	(void)state;
	object = give(object, &nothing, 3, 0xaa);
	object = give(object, &nothing, 5, 0xbb);
	assert_judged(object, "", 0, 0, PIC_CLAIM_NOTHING);
	assert_judged(object, EPOCH, 5, 0xbb, PIC_CLAIM_CURRENT);
	assert_judged(object, EPOCH, 3, 0xaa, PIC_CLAIM_BEHIND);
	assert_judged(object, EPOCH, 4, 0xaa, PIC_CLAIM_UNKNOWN);
	assert_judged(object, EPOCH, 9, 0xbb, PIC_CLAIM_UNKNOWN);
	assert_judged(object, EPOCH, 5, 0xaa, PIC_CLAIM_UNKNOWN);
	assert_judged(object, OTHER, 5, 0xbb, PIC_CLAIM_FOREIGN);
	pic_object_unref(object);
}

static void a_device_that_takes_nothing_stays_known(void **state)
{
	struct pic_claim at_one = claim_of(EPOCH, 1, 1), nothing = { .revision = 0 };
	struct pic_object *object = give(enrolled(), &nothing, 1, 1);

	(void)state;
	for (int64_t revision = 2; revision < 40; revision++)
		object = give(object, &at_one, revision, (unsigned char)revision);
	assert_judged(object, EPOCH, 1, 1, PIC_CLAIM_BEHIND);
	assert_judged(object, EPOCH, 20, 20, PIC_CLAIM_BEHIND);
	assert_judged(object, EPOCH, 39, 39, PIC_CLAIM_CURRENT);
	pic_object_unref(object);
}

static void the_record_does_not_grow_for_ever(void **state)
{
	struct pic_claim claim = { .revision = 0 };
	struct pic_object *object = enrolled();
	size_t most = 0;

	(void)state;
	for (int64_t revision = 1; revision < 300; revision++) {
		object = give(object, &claim, revision, (unsigned char)revision);
		size_t count = pic_json_count(pic_json_get(pic_object_status(object), "documents"));
		most = count > most ? count : most;
		claim = claim_of(EPOCH, revision, (unsigned char)revision); /* taken at once */
	}
	assert_true(most <= 6);
	for (int64_t revision = 300; revision < 600; revision++)
		object = give(object, &claim, revision, (unsigned char)revision);
	assert_true(pic_json_count(pic_json_get(pic_object_status(object), "documents")) <= 66);
	pic_object_unref(object);
}

static void what_was_given_is_found_again(void **state)
{
	struct pic_claim nothing = { .revision = 0 };
	struct pic_object *object = give(enrolled(), &nothing, 3, 0xaa);
	struct pic_given_document given;

	(void)state;
	assert_true(pic_record_given(object, 3, &given));
	assert_int_equal(given.issued_ms, 3000);
	assert_int_equal(given.digest.bytes[7], 0xaa);
	assert_false(pic_record_given(object, 4, &given));
	pic_object_unref(object);
}

static void a_new_epoch_forgets_what_was_given(void **state)
{
	struct pic_claim nothing = { .revision = 0 };
	struct pic_object *object = give(enrolled(), &nothing, 3, 0xaa);
	struct pic_json *json = pic_record_edit(object);

	(void)state;
	pic_json_set_bool(pic_json_get(json, "spec"), "acceptEpoch", true);
	pic_record_new_epoch(json, OTHER);
	object = after(object, json);
	assert_string_equal(pic_record_epoch(object), OTHER);
	assert_int_equal(pic_record_revision(object), 3);
	assert_false(pic_record_accepts_epoch(object)); /* that was said of another one */
	assert_judged(object, OTHER, 3, 0xaa, PIC_CLAIM_UNKNOWN);
	assert_judged(object, EPOCH, 3, 0xaa, PIC_CLAIM_FOREIGN);
	pic_object_unref(object);
}

static void enrolling_afresh_keeps_the_epoch(void **state)
{
	struct pic_claim nothing = { .revision = 0 };
	struct pic_object *object = give(enrolled(), &nothing, 3, 0xaa);
	struct pic_record_enrolment again = { .name = "tiny-edge", .epoch = OTHER, .serial = "2" };
	struct pic_json *json = pic_record_edit(object);

	(void)state;
	memset(again.key_pin.bytes, 7, sizeof(again.key_pin.bytes));
	pic_json_set_text(pic_json_get(json, "status"), "quarantine", "two of them");
	pic_json_set_text(pic_json_get(json, "spec"), "nextKeyPin", "x");
	object = after(object, json);
	assert_string_equal(pic_record_quarantine(object), "two of them");
	object = after(object, pic_record_enrol(object, &again));
	assert_string_equal(pic_record_quarantine(object), "");
	assert_string_equal(pic_record_epoch(object), EPOCH);
	assert_int_equal(pic_record_revision(object), 3);
	assert_judged(object, EPOCH, 3, 0xaa, PIC_CLAIM_CURRENT);
	assert_null(pic_json_get(pic_object_spec(object), "nextKeyPin"));
	assert_string_equal(pic_json_get_text(pic_object_spec(object), "certificateSerial"), "2");
	pic_object_unref(object);
}

static void a_report_of_another_epoch_proves_nothing(void **state)
{
	struct pic_object *object = enrolled();
	struct pic_report report = { .removed_through = 9 };
	struct pic_json *body = pic_json_new_object();
	long long through = -1;

	(void)state;
	strcpy(report.epoch, OTHER);
	struct pic_json *json = pic_record_edit(object);
	pic_json_set_bool(pic_json_get(json, "spec"), "acceptEpoch", true);
	pic_record_report(json, &report, body, 0);
	object = after(object, json);
	assert_null(pic_json_get(pic_object_status(object), "removedThrough"));
	assert_true(pic_record_accepts_epoch(object));

	strcpy(report.epoch, EPOCH);
	json = pic_record_edit(object);
	pic_record_report(json, &report, body, 0);
	object = after(object, json);
	assert_true(pic_json_integer(pic_json_get(pic_object_status(object), "removedThrough"),
				     &through));
	assert_int_equal(through, 9);
	assert_false(pic_record_accepts_epoch(object)); /* it has it now */
	pic_json_unref(body);
	pic_object_unref(object);
}

static void an_edit_leaves_the_old_one_alone(void **state)
{
	struct pic_object *object = enrolled();
	struct pic_json *json = pic_record_edit(object);

	(void)state;
	pic_record_seen(json, true, "192.0.2.1:1", 0);
	pic_json_set_text(pic_json_get(json, "spec"), "epoch", OTHER);
	assert_false(pic_record_is_online(object));
	assert_string_equal(pic_record_epoch(object), EPOCH);
	object = after(object, json);
	assert_true(pic_record_is_online(object));
	pic_object_unref(object);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(claims_are_judged),
		cmocka_unit_test(a_device_that_takes_nothing_stays_known),
		cmocka_unit_test(the_record_does_not_grow_for_ever),
		cmocka_unit_test(what_was_given_is_found_again),
		cmocka_unit_test(a_new_epoch_forgets_what_was_given),
		cmocka_unit_test(enrolling_afresh_keeps_the_epoch),
		cmocka_unit_test(a_report_of_another_epoch_proves_nothing),
		cmocka_unit_test(an_edit_leaves_the_old_one_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
