/* The room with a store of its own: requests, decisions, links, page tokens. */
#include "base/check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "hub/approval/room.h"
#include "hub/store_fixture.h"

#define OPS "ops@edge.test"
#define BOSS "Boss@edge.test"

struct world {
	struct store_fixture *store;
	struct pic_hub hub;
	char made[PIC_OBJECT_NAME_MAX + 1];
	int status;
};

static void add_approver(struct world *world, const char *name, const char *mail, bool by_mail)
{
	struct pic_json *json = pic_json_new_object();
	struct pic_json *spec = pic_json_ensure_object(json, "spec");

	pic_json_set_text(pic_json_ensure_object(json, "metadata"), "name", name);
	pic_json_set_text(spec, "mail", mail);
	pic_json_set_bool(spec, "byMail", by_mail);
	assert_int_equal(store_fixture_put(world->store, PIC_KIND_APPROVER, json), 0);
}

static void open_room(struct world *world)
{
	struct pic_error err = PIC_ERROR_INIT;

	world->hub.loop = world->store->loop;
	world->hub.store = world->store->store;
	world->hub.state = world->store->path;
	world->hub.public_url = "https://hub.test";
	if (pic_approvals_open(&world->hub.approvals, &world->hub, &err) < 0)
		fail_msg("%s", err.text);
}

static int setup(void **state)
{
	struct world *world = calloc(1, sizeof(*world));

	store_fixture_setup((void **)&world->store);
	open_room(world);
	add_approver(world, "ops", OPS, true);
	add_approver(world, "boss", BOSS, false);
	*state = world;
	return 0;
}

static int teardown(void **state)
{
	struct world *world = *state;

	pic_approvals_stop(world->hub.approvals);
	pic_store_close(world->store->store);
	world->store->store = NULL;
	pic_approvals_close(world->hub.approvals);
	pic_loop_free(world->store->loop);
	store_fixture_remove(world->store->path);
	free(world->store);
	free(world);
	return 0;
}

static void on_made(void *data, const char *name, int status, const struct pic_error *err)
{
	struct world *world = data;

	(void)err;
	world->status = status;
	snprintf(world->made, sizeof(world->made), "%s", name ? name : "");
}

static void on_done(void *data, int status, const struct pic_error *err)
{
	(void)err;
	((struct world *)data)->status = status;
}

static struct pic_json *parse(const char *text)
{
	struct pic_error err = PIC_ERROR_INIT;
	struct pic_json *json = NULL;

	if (pic_json_parse(&json, text, strlen(text), &err) < 0)
		fail_msg("%s: %s", text, err.text);
	return json;
}

static int request(struct world *world, const char *spec, struct pic_error *err)
{
	world->status = 1;
	int r = pic_approval_request(world->hub.approvals, &store_fixture_actor, "default",
				     parse(spec), on_made, world, err);
	if (r == 0) {
		pic_store_settle(world->store->store);
		assert_int_equal(world->status, 0);
	} else {
		assert_int_equal(world->status, 1);
	}
	return r;
}

static const struct pic_object *get(struct world *world)
{
	return pic_store_get(world->store->store, PIC_KIND_APPROVAL, "default", world->made);
}

static const char *phase(struct world *world)
{
	return pic_json_text_or(pic_json_get(pic_object_status(get(world)), "phase"), "?");
}

static int decide(struct world *world, enum pic_approval_verb verb, const char *by,
		  struct pic_error *err)
{
	world->status = 1;
	int r = pic_approval_decide(world->hub.approvals, &store_fixture_actor, "default",
				    world->made, verb, by, "because", on_done, world, err);
	if (r == 0) {
		pic_store_settle(world->store->store);
		assert_int_equal(world->status, 0);
	}
	return r;
}

static void a_request_is_completed(void **state)
{
	struct world *world = *state;
	const struct pic_json *spec;

	assert_int_equal(request(world, "{\"activation\":\"Run\",\"stage\":\"ask us\"}", NULL), 0);
	assert_string_equal(world->made, "run-ask-us");
	spec = pic_object_spec(get(world));
	assert_int_equal(strlen(pic_json_get_text(spec, "id")), 32);
	assert_int_equal(pic_json_count(pic_json_get(spec, "approvers")), 2);
	assert_non_null(pic_json_get_text(spec, "expires"));
	assert_string_equal(phase(world), "Pending");
	assert_ptr_equal(pic_approval_find_by_id(world->hub.approvals,
						 pic_json_get_text(spec, "id")),
			 get(world));
	assert_null(pic_approval_find_by_id(world->hub.approvals, "x"));
	assert_null(pic_approval_find_by_id(world->hub.approvals, NULL));
	assert_int_equal(request(world, "{\"activation\":\"Run\",\"stage\":\"ask us\"}", NULL), 0);
	assert_string_equal(world->made, "run-ask-us-2");
	assert_int_equal(request(world, "{\"reason\":\"x\"}", NULL), 0);
	assert_string_equal(world->made, "request-1");
}

#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"
#define ITEM(target) \
	"{\"target\":\"" target "\",\"instance\":\"app\",\"component\":\"p\",\"type\":\"ebpf\"," \
	"\"sha256\":\"" ZEROS "\",\"terms\":\"" ZEROS "\",\"grants\":[]}"

static void put_device(struct world *world, const char *name, const char *agent)
{
	char text[512];

	snprintf(text, sizeof(text),
		 "{\"metadata\":{\"name\":\"%s\"},\"status\":{\"report\":{\"agent\":{%s}}}}", name,
		 agent);
	store_fixture_put(world->store, PIC_KIND_DEVICE, parse(text));
}

static long long number(struct world *world, const char *key)
{
	long long value = -1;

	pic_json_integer(pic_json_get(pic_object_spec(get(world)), key), &value);
	return value;
}

/* A longer permission than the devices give would be a promise that nobody keeps. */
static void nobody_is_asked_for_more_than_devices_allow(void **state)
{
	struct world *world = *state;

	put_device(world, "edge", "\"lease-max-seconds\":3600");
	put_device(world, "car", "\"lease-max-seconds\":60");
	put_device(world, "old", "\"version\":\"1\"");
	request(world, "{\"lengthSeconds\":7200,\"items\":[" ITEM("edge") "]}", NULL);
	assert_int_equal(number(world, "lengthSeconds"), 3600);
	assert_int_equal(number(world, "leaseMaxSeconds"), 3600);
	/* what fits stays as it was asked for, whatever who asks says of devices */
	request(world, "{\"lengthSeconds\":600,\"leaseMaxSeconds\":5,\"items\":[" ITEM("edge") "]}",
		NULL);
	assert_int_equal(number(world, "lengthSeconds"), 600);
	assert_int_equal(number(world, "leaseMaxSeconds"), -1);
	/* the longest of several counts; each device cuts its own shorter */
	request(world, "{\"lengthSeconds\":7200,\"items\":[" ITEM("edge") "," ITEM("car") "]}",
		NULL);
	assert_int_equal(number(world, "lengthSeconds"), 3600);
	/* of an older agent nothing is known */
	request(world, "{\"lengthSeconds\":7200,\"items\":[" ITEM("edge") "," ITEM("old") "]}",
		NULL);
	assert_int_equal(number(world, "lengthSeconds"), 7200);
	request(world, "{\"closes\":\"2099-01-01T00:00:00Z\",\"items\":[" ITEM("car") "]}", NULL);
	assert_int_equal(number(world, "leaseMaxSeconds"), 60);
}

static void the_same_run_is_asked_once(void **state)
{
	struct world *world = *state;
	char first[PIC_OBJECT_NAME_MAX + 1];

	assert_int_equal(
		request(world, "{\"activation\":\"a\",\"stage\":\"s\",\"run\":\"u/1\"}", NULL), 0);
	strcpy(first, world->made);
	assert_int_equal(
		request(world, "{\"activation\":\"a\",\"stage\":\"s\",\"run\":\"u/1\"}", NULL), 0);
	assert_string_equal(world->made, first);
	assert_int_equal(decide(world, PIC_APPROVAL_APPROVE, "admin", NULL), 0);
	assert_int_equal(
		request(world, "{\"activation\":\"a\",\"stage\":\"s\",\"run\":\"u/1\"}", NULL), 0);
	assert_string_equal(world->made, first);
	assert_int_equal(
		request(world, "{\"activation\":\"a\",\"stage\":\"s\",\"run\":\"u/2\"}", NULL), 0);
	assert_string_not_equal(world->made, first);
}

static void wrong_requests_name_the_field(void **state)
{
	static const struct {
		const char *spec, *word;
	} rows[] = {
		{ "[]", "spec" },
		{ "{\"reason\":7}", "reason" },
		{ "{\"opens\":\"soon\"}", "opens" },
		{ "{\"closes\":\"2001-01-01T00:00:00Z\"}", "closes" },
		{ "{\"expires\":\"2001-01-01T00:00:00Z\"}", "expires" },
		{ "{\"lengthSeconds\":0}", "lengthSeconds" },
		{ "{\"lengthSeconds\":\"1\"}", "lengthSeconds" },
		{ "{\"lengthSeconds\":99999999999}", "lengthSeconds" },
		{ "{\"approvers\":\"a@b\"}", "approvers" },
		{ "{\"approvers\":[\"a\\r\\nb@c\"]}", "approvers" },
		{ "{\"approvers\":[\"other@edge.test\"]}", "other@edge.test" },
		{ "{\"items\":[{}]}", "items" },
	};
	struct world *world = *state;

	for (size_t i = 0; i < PIC_COUNT(rows); i++) {
		struct pic_error err = PIC_ERROR_INIT;

		if (request(world, rows[i].spec, &err) != -EINVAL)
			fail_msg("%s was taken", rows[i].spec);
		assert_contains(err.text, rows[i].word);
	}
	assert_int_equal(pic_store_count(world->store->store, PIC_KIND_APPROVAL), 0);
}

static void the_first_decision_wins(void **state)
{
	struct world *world = *state;
	struct pic_error err = PIC_ERROR_INIT;

	request(world, "{\"lengthSeconds\":60}", NULL);
	assert_int_equal(decide(world, PIC_APPROVAL_REVOKE, "admin", &err), -EINVAL);
	assert_int_equal(decide(world, PIC_APPROVAL_APPROVE, "stranger@edge.test", &err), -EACCES);
	assert_string_equal(phase(world), "Pending");
	assert_int_equal(decide(world, PIC_APPROVAL_APPROVE, "OPS@edge.test", NULL), 0);
	assert_int_equal(decide(world, PIC_APPROVAL_APPROVE, BOSS, &err), -EALREADY);
	assert_contains(err.text, "OPS@edge.test");
	assert_int_equal(decide(world, PIC_APPROVAL_REJECT, BOSS, &err), -EALREADY);
	assert_string_equal(phase(world), "Approved");
	assert_int_equal(decide(world, PIC_APPROVAL_REVOKE, BOSS, NULL), 0);
	assert_string_equal(phase(world), "Revoked");
	assert_int_equal(decide(world, PIC_APPROVAL_APPROVE, "admin", &err), -EALREADY);
	assert_contains(err.text, "revoked by " BOSS);
	strcpy(world->made, "nothing");
	assert_int_equal(decide(world, PIC_APPROVAL_APPROVE, "admin", &err), -ENOENT);
}

static void a_grant_is_born_decided(void **state)
{
	struct world *world = *state;

	assert_int_equal(pic_approval_grant(world->hub.approvals, &store_fixture_actor, "default",
					    parse("{\"lengthSeconds\":60,\"run\":\"u/1\"}"),
					    "https://logic.test/", on_made, world, NULL),
			 0);
	pic_store_settle(world->store->store);
	assert_string_equal(phase(world), "Approved");
	struct pic_approval_facts *facts = calloc(1, sizeof(*facts));
	assert_int_equal(pic_approval_read(get(world), facts, NULL), 0);
	assert_int_equal(facts->ends_ms - facts->opens_ms, 60000);
	free(facts);
}

static void links_belong_to_one_person(void **state)
{
	struct world *world = *state;
	struct pic_approvals *room = world->hub.approvals;
	char secret[PIC_APPROVAL_SECRET_TEXT], boss[PIC_APPROVAL_SECRET_TEXT];
	char token[PIC_APPROVAL_PAGE_TOKEN_TEXT], by[PIC_APPROVAL_BY_TEXT], id[PIC_APPROVAL_TEXT];
	struct pic_error err = PIC_ERROR_INIT;

	request(world, "{\"lengthSeconds\":60}", NULL);
	strcpy(id, pic_json_get_text(pic_object_spec(get(world)), "id"));
	pic_approval_link_secret(room, id, "OPS@EDGE.TEST", secret);
	pic_approval_link_secret(room, id, BOSS, boss);
	assert_int_equal(pic_approval_page_token_make(room, id, secret, token, by, &err), 0);
	assert_string_equal(by, OPS);
	/* not byMail; wrong; empty; of another approval */
	assert_int_equal(pic_approval_page_token_make(room, id, boss, token, by, &err), -EACCES);
	assert_int_equal(pic_approval_page_token_make(room, id, "", token, by, &err), -EACCES);
	assert_int_equal(pic_approval_page_token_make(room, id, NULL, token, by, &err), -EACCES);
	secret[5] ^= 1;
	assert_int_equal(pic_approval_page_token_make(room, id, secret, token, by, &err), -EACCES);
	secret[5] ^= 1;
	id[3] = id[3] == '0' ? '1' : '0';
	assert_int_equal(pic_approval_page_token_make(room, id, secret, token, by, &err), -EACCES);
}

static void a_page_token_works_once(void **state)
{
	struct world *world = *state;
	struct pic_approvals *room = world->hub.approvals;
	char secret[PIC_APPROVAL_SECRET_TEXT], id[PIC_APPROVAL_TEXT], by[PIC_APPROVAL_BY_TEXT];
	char token[PIC_APPROVAL_PAGE_TOKEN_TEXT], old[PIC_APPROVAL_PAGE_TOKEN_TEXT];
	struct pic_error err = PIC_ERROR_INIT;

	request(world, "{\"lengthSeconds\":60}", NULL);
	strcpy(id, pic_json_get_text(pic_object_spec(get(world)), "id"));
	pic_approval_link_secret(room, id, OPS, secret);
	pic_approval_page_token_make(room, id, secret, token, by, &err);
	assert_int_equal(pic_approval_page_token_check(room, id, secret, token, by, &err), 0);
	assert_string_equal(by, OPS);
	/* each byte counts, and so does the length */
	for (size_t i = 0; i < strlen(token); i++) {
		token[i] ^= 1;
		assert_int_equal(pic_approval_page_token_check(room, id, secret, token, by, &err),
				 -EACCES);
		token[i] ^= 1;
	}
	assert_int_equal(pic_approval_page_token_check(room, id, secret, NULL, by, &err), -EACCES);
	assert_int_equal(pic_approval_page_token_check(room, id, secret, "", by, &err), -EACCES);
	strcpy(old, token);
	strcat(old, "0");
	assert_int_equal(pic_approval_page_token_check(room, id, secret, old, by, &err), -EACCES);
	/* used: the phase has moved on, and who comes second is told */
	assert_int_equal(decide(world, PIC_APPROVAL_APPROVE, OPS, NULL), 0);
	assert_int_equal(pic_approval_page_token_check(room, id, secret, token, by, &err),
			 -EALREADY);
	assert_contains(err.text, "approved by " OPS);
	/* what the page gives out now is for the present phase */
	pic_approval_page_token_make(room, id, secret, token, by, &err);
	assert_int_equal(pic_approval_page_token_check(room, id, secret, token, by, &err), 0);
}

static void a_damaged_key_is_said(void **state)
{
	struct world *world = *state;
	struct pic_approvals *second = NULL;
	struct pic_error err = PIC_ERROR_INIT;
	char path[256];

	snprintf(path, sizeof(path), "%s/approval.key", world->store->path);
	assert_int_equal(truncate(path, 5), 0);
	assert_int_equal(pic_approvals_open(&second, &world->hub, &err), -EINVAL);
	assert_contains(err.text, "approval.key is damaged");
	assert_null(second);
}

static void links_outlive_the_hub(void **state)
{
	struct world *world = *state;
	char before[PIC_APPROVAL_SECRET_TEXT], after[PIC_APPROVAL_SECRET_TEXT];
	unsigned char key[PIC_SHA256_SIZE];

	pic_approval_link_secret(world->hub.approvals, "a", OPS, before);
	assert_int_equal(pic_approval_key_load(world->store->path, key, NULL), 0);
	assert_memory_equal(key, world->hub.approvals->key, sizeof(key));
	pic_approval_link_secret(world->hub.approvals, "a", OPS, after);
	assert_string_equal(before, after);
}

static void addresses_that_count(void **state)
{
	static const char *const listed[] = { "https://logic.test/ask/", NULL };
	struct world *world = *state;

	world->hub.approval_urls = listed;
	assert_true(pic_approval_url_counts(&world->hub, "https://logic.test/ask/7?x=1"));
	assert_false(pic_approval_url_counts(&world->hub, "https://logic.test/other"));
	assert_false(pic_approval_url_counts(&world->hub, "https://logic.test.evil/ask/"));
	assert_true(pic_approval_url_counts(&world->hub, "https://hub.test/approve?key=1"));
	assert_true(pic_approval_url_is_own(&world->hub, "https://hub.test/approve"));
	assert_false(pic_approval_url_is_own(&world->hub, "https://hub.test/approvexyz"));
	assert_false(pic_approval_url_is_own(&world->hub, "https://hub.test.evil/approve"));
	assert_false(pic_approval_url_is_own(&world->hub, "https://logic.test/ask/7"));
}

static void put_finished(struct world *world, int number, const char *phase, int64_t decided_ms,
			 int64_t ends_ms)
{
	struct pic_json *json = pic_json_new_object();
	struct pic_json *metadata = pic_json_ensure_object(json, "metadata");
	struct pic_json *status = pic_json_ensure_object(json, "status");
	char name[32], time[PIC_TIME_TEXT];

	snprintf(name, sizeof(name), "old-%04d", number);
	pic_json_set_text(metadata, "name", name);
	pic_json_set_text(metadata, "namespace", "default");
	pic_json_set_text(status, "phase", phase);
	pic_approval_time_text(decided_ms, time);
	pic_json_set_text(status, "decidedAt", time);
	if (ends_ms) {
		pic_approval_time_text(ends_ms, time);
		pic_json_set_text(status, "ends", time);
	}
	pic_json_set_text(pic_json_ensure_object(json, "spec"), "expires", time);
	assert_int_equal(store_fixture_put(world->store, PIC_KIND_APPROVAL, json), 0);
}

static bool is_there(struct world *world, int number)
{
	char name[32];

	snprintf(name, sizeof(name), "old-%04d", number);
	return pic_store_get(world->store->store, PIC_KIND_APPROVAL, "default", name) != NULL;
}

static int64_t prune(struct world *world, int64_t now_ms)
{
	int64_t next_ms = pic_approval_prune(world->hub.approvals, now_ms, NULL);

	pic_store_settle(world->store->store);
	return next_ms;
}

#define MINUTE_MS (60LL * 1000)
#define DAY_MS (24 * 60 * MINUTE_MS)

static void what_is_over_is_forgotten_after_ninety_days(void **state)
{
	struct world *world = *state;
	const int64_t now = pic_clock_wall_ms();

	put_finished(world, 1, "Rejected", now, 0);
	put_finished(world, 2, "Expired", now + 1000, 0);
	put_finished(world, 3, "Ended", now, now + 2000);
	put_finished(world, 4, "Revoked", now, now + DAY_MS); /* its ticket may still be held */
	put_finished(world, 5, "Approved", now, now + 1000);
	put_finished(world, 6, "Pending", now, 0);
	put_finished(world, 7, "Nonsense", now, 0);
	assert_int_equal(prune(world, now + 90 * DAY_MS - 1) / 1000, (now + 90 * DAY_MS) / 1000);
	for (int i = 1; i <= 7; i++)
		assert_true(is_there(world, i));
	prune(world, now + 90 * DAY_MS);
	assert_false(is_there(world, 1));
	assert_true(is_there(world, 2));
	prune(world, now + 90 * DAY_MS + 2000);
	assert_false(is_there(world, 2));
	assert_false(is_there(world, 3));
	assert_true(is_there(world, 4));
	assert_true(prune(world, now + 91 * DAY_MS) == INT64_MAX);
	assert_false(is_there(world, 4));
	for (int i = 5; i <= 7; i++)
		assert_true(is_there(world, i));
}

static void the_oldest_of_too_many_are_forgotten(void **state)
{
	struct world *world = *state;
	const int64_t now = pic_clock_wall_ms();

	/* the room's own timer stands still: nothing runs the loop here */
	for (int i = 0; i < 1003; i++)
		put_finished(world, i, "Rejected", now + (i > 1000 ? 0 : 1000), 0);
	/* who waits for the decision has the time to see it */
	assert_true(prune(world, now + 9 * MINUTE_MS) <= now + 10 * MINUTE_MS);
	assert_int_equal(pic_store_count(world->store->store, PIC_KIND_APPROVAL), 1003);
	prune(world, now + 10 * MINUTE_MS);
	assert_int_equal(pic_store_count(world->store->store, PIC_KIND_APPROVAL), 1001);
	assert_false(is_there(world, 1001) || is_there(world, 1002));
	prune(world, now + 11 * MINUTE_MS);
	assert_int_equal(pic_store_count(world->store->store, PIC_KIND_APPROVAL), 1000);
}

struct look {
	struct world *world;
	struct pic_timer *timer;
	int left;
};

static void on_look(void *data)
{
	struct look *look = data;

	if (!is_there(look->world, 1) || look->left-- == 0)
		pic_loop_stop(look->world->store->loop);
	else
		pic_timer_set(look->timer, 10);
}

static void the_room_forgets_by_itself(void **state)
{
	struct world *world = *state;
	const int64_t now = pic_clock_wall_ms();

	put_finished(world, 1, "Rejected", now - 91 * DAY_MS, 0);
	put_finished(world, 2, "Rejected", now - 89 * DAY_MS, 0);
	struct look look = { .world = world, .left = 1000 };
	assert_int_equal(pic_loop_timer(world->store->loop, on_look, &look, &look.timer, NULL), 0);
	pic_timer_set(look.timer, 0);
	assert_int_equal(pic_loop_run(world->store->loop, NULL), 0);
	pic_timer_free(look.timer);
	pic_store_settle(world->store->store);
	assert_false(is_there(world, 1));
	assert_true(is_there(world, 2));
}

static void the_address_has_a_share_of_its_own(void **state)
{
	struct world *world = *state;
	struct pic_error err = PIC_ERROR_INIT;
	char spec[64];

	for (int i = 0; i < 100; i++) {
		snprintf(spec, sizeof(spec), "{\"run\":\"url/+%d\"}", i);
		assert_int_equal(request(world, spec, &err), 0);
	}
	assert_int_equal(request(world, "{\"run\":\"url/+new\"}", &err), -EBUSY);
	assert_contains(err.text, "100 requests through the address");
	assert_int_equal(request(world, "{\"run\":\"url/-new\"}", &err), -EBUSY);
	assert_int_equal(request(world, "{\"run\":\"url/+7\"}", &err), 0); /* asked before */
	/* the others have all of theirs */
	for (int i = 0; i < 1000; i++) {
		snprintf(spec, sizeof(spec), "{\"activation\":\"a%d\",\"run\":\"u/%d\"}", i, i);
		assert_int_equal(request(world, spec, &err), 0);
	}
	assert_int_equal(request(world, "{}", &err), -EBUSY);
	assert_contains(err.text, "1000 approvals");
	assert_int_equal(decide(world, PIC_APPROVAL_REJECT, "admin", NULL), 0);
	assert_int_equal(request(world, "{}", &err), 0);
	assert_int_equal(request(world, "{\"run\":\"url/+new\"}", &err), -EBUSY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_request_is_completed, setup, teardown),
		cmocka_unit_test_setup_teardown(the_same_run_is_asked_once, setup, teardown),
		cmocka_unit_test_setup_teardown(nobody_is_asked_for_more_than_devices_allow, setup,
						teardown),
		cmocka_unit_test_setup_teardown(wrong_requests_name_the_field, setup, teardown),
		cmocka_unit_test_setup_teardown(the_first_decision_wins, setup, teardown),
		cmocka_unit_test_setup_teardown(a_grant_is_born_decided, setup, teardown),
		cmocka_unit_test_setup_teardown(links_belong_to_one_person, setup, teardown),
		cmocka_unit_test_setup_teardown(a_page_token_works_once, setup, teardown),
		cmocka_unit_test_setup_teardown(a_damaged_key_is_said, setup, teardown),
		cmocka_unit_test_setup_teardown(links_outlive_the_hub, setup, teardown),
		cmocka_unit_test_setup_teardown(addresses_that_count, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_over_is_forgotten_after_ninety_days, setup,
						teardown),
		cmocka_unit_test_setup_teardown(the_oldest_of_too_many_are_forgotten, setup,
						teardown),
		cmocka_unit_test_setup_teardown(the_room_forgets_by_itself, setup, teardown),
		cmocka_unit_test_setup_teardown(the_address_has_a_share_of_its_own, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
