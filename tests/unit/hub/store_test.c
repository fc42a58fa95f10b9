/* The store: reading and changing, events, what a new start finds, the journal. */
#include "base/check.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "hub/store_fixture.h"

#define TARGET PIC_KIND_TARGET

struct seen {
	char text[4096];
};

static void see(void *data, enum pic_kind kind, struct pic_object *before, struct pic_object *after,
		int64_t revision)
{
	struct seen *seen = data;
	size_t size = strlen(seen->text);

	(void)kind;
	(void)revision;
	snprintf(seen->text + size, sizeof(seen->text) - size, "%s:%lld>%lld ",
		 (after ? after : before)->name, store_fixture_value(before),
		 store_fixture_value(after));
}

static void delete_one(struct store_fixture *fixture, const char *name)
{
	struct pic_change *change = pic_change_new(fixture->store, &store_fixture_actor);

	pic_change_delete(change, TARGET, "default", name);
	pic_change_commit(change, NULL, NULL);
	pic_store_settle(fixture->store);
}

static void objects_are_found_in_order(void **state)
{
	struct store_fixture *fixture = *state;
	static const char *const names[] = { "m", "z", "a", "k", "b" };
	char all[64] = "";

	for (size_t i = 0; i < 5; i++)
		assert_int_equal(
			store_fixture_put(fixture, TARGET,
					  store_fixture_object("default", names[i], (int)i)),
			0);
	store_fixture_put(fixture, TARGET, store_fixture_object("other", "c", 9));
	store_fixture_put(fixture, PIC_KIND_SOLUTION, store_fixture_object("default", "s", 9));
	for (struct pic_object *o = pic_store_next(fixture->store, TARGET, NULL, NULL); o;
	     o = pic_store_next(fixture->store, TARGET, NULL, o))
		strcat(all, o->name);
	assert_string_equal(all, "abkmzc");
	all[0] = '\0';
	for (struct pic_object *o = pic_store_next(fixture->store, TARGET, "other", NULL); o;
	     o = pic_store_next(fixture->store, TARGET, "other", o))
		strcat(all, o->name);
	assert_string_equal(all, "c");
	assert_null(pic_store_next(fixture->store, TARGET, "none", NULL));
	assert_int_equal(pic_store_count(fixture->store, TARGET), 6);
	assert_int_equal(store_fixture_value(pic_store_get(fixture->store, TARGET, "default", "k")),
			 3);
	assert_null(pic_store_get(fixture->store, TARGET, "other", "k"));
}

static void metadata_is_the_stores(void **state)
{
	struct store_fixture *fixture = *state;
	struct pic_json *json = store_fixture_object("default", "t", 1);
	char uid[64], created[64];

	pic_json_set_text(pic_json_get(json, "metadata"), "resourceVersion", "999");
	store_fixture_put(fixture, TARGET, json);
	struct pic_object *first = pic_store_get(fixture->store, TARGET, "default", "t");
	assert_int_equal(first->revision, 1);
	assert_int_equal(strlen(first->uid), 36);
	snprintf(uid, sizeof(uid), "%s", first->uid);
	snprintf(created, sizeof(created), "%s",
		 pic_json_text(pic_json_find(first->json, "metadata", "creationTimestamp", NULL)));

	/* A second writer's identity and dates are not taken. */
	json = store_fixture_object("default", "t", 2);
	pic_json_set_text(pic_json_get(json, "metadata"), "uid", "forged");
	pic_json_set_text(pic_json_get(json, "metadata"), "creationTimestamp",
			  "1970-01-01T00:00:00Z");
	store_fixture_put(fixture, TARGET, json);
	struct pic_object *second = pic_store_get(fixture->store, TARGET, "default", "t");
	assert_int_equal(second->revision, 2);
	assert_string_equal(second->uid, uid);
	assert_string_equal(
		pic_json_text(pic_json_find(second->json, "metadata", "creationTimestamp", NULL)),
		created);
}

static void what_changes_nothing_is_dropped(void **state)
{
	struct store_fixture *fixture = *state;
	struct seen seen = { "" };

	store_fixture_put(fixture, TARGET, store_fixture_object("default", "t", 1));
	pic_store_listen(fixture->store, PIC_STORE_DURABLE, see, &seen);
	assert_int_equal(
		store_fixture_put(fixture, TARGET, store_fixture_object("default", "t", 1)), 0);
	delete_one(fixture, "not-there");
	assert_string_equal(seen.text, "");
	assert_int_equal(pic_store_revision(fixture->store), 1);
}

/* The caller may share parts of an old object; the old one must stay what it was. */
static void old_objects_are_never_written_to(void **state)
{
	struct store_fixture *fixture = *state;

	store_fixture_put(fixture, TARGET, store_fixture_object("default", "t", 1));
	struct pic_object *old =
		pic_object_ref(pic_store_get(fixture->store, TARGET, "default", "t"));
	struct pic_json *json = pic_json_new_object();
	pic_json_set(json, "metadata", pic_json_ref(pic_json_get(old->json, "metadata")));
	pic_json_set(json, "spec", pic_json_new_object());
	assert_int_equal(store_fixture_put(fixture, TARGET, json), 0);
	assert_string_equal(
		pic_json_text(pic_json_find(old->json, "metadata", "resourceVersion", NULL)), "1");
	assert_int_equal(old->revision, 1);
	assert_int_equal(store_fixture_value(old), 1);
	pic_object_unref(old);
}

static void a_new_start_finds_all(void **state)
{
	struct store_fixture *fixture = *state;
	char uid[64];

	for (int i = 0; i < 50; i++) {
		char name[16];

		snprintf(name, sizeof(name), "t%02d", i);
		store_fixture_put(fixture, TARGET, store_fixture_object("default", name, i));
	}
	delete_one(fixture, "t07");
	snprintf(uid, sizeof(uid), "%s",
		 pic_store_get(fixture->store, TARGET, "default", "t09")->uid);
	int64_t revision = pic_store_revision(fixture->store);
	store_fixture_reopen(fixture);
	assert_int_equal(pic_store_count(fixture->store, TARGET), 49);
	assert_null(pic_store_get(fixture->store, TARGET, "default", "t07"));
	struct pic_object *object = pic_store_get(fixture->store, TARGET, "default", "t09");
	assert_int_equal(store_fixture_value(object), 9);
	assert_string_equal(object->uid, uid);
	assert_int_equal(object->revision, 10);
	/* Revisions never come back, not even those that were given out and lost. */
	assert_true(pic_store_revision(fixture->store) > revision);
}

static void numbers_keep_their_literal(void **state)
{
	struct store_fixture *fixture = *state;
	struct pic_json *json = store_fixture_object("default", "t", 1);

	pic_json_set(pic_json_get(json, "spec"), "exact", pic_json_new_number("0.10"));
	store_fixture_put(fixture, TARGET, json);
	store_fixture_reopen(fixture);
	struct pic_object *object = pic_store_get(fixture->store, TARGET, "default", "t");
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(4096);
	pic_json_write(object->json, PIC_JSON_COMPACT, &text);
	assert_contains(pic_buf_text(&text), "\"exact\":0.10");
}

static void events_come_applied_then_durable(void **state)
{
	struct store_fixture *fixture = *state;
	struct seen applied = { "" }, durable = { "" };
	struct pic_change *change = pic_change_new(fixture->store, &store_fixture_actor);

	pic_store_listen(fixture->store, PIC_STORE_APPLIED, see, &applied);
	pic_store_listen(fixture->store, PIC_STORE_DURABLE, see, &durable);
	pic_change_put(change, TARGET, store_fixture_object("default", "a", 1), NULL);
	pic_change_put(change, TARGET, store_fixture_object("default", "a", 2), NULL);
	pic_change_put(change, TARGET, store_fixture_object("default", "b", 3), NULL);
	pic_change_delete(change, TARGET, "default", "a");
	assert_int_equal(pic_store_count(fixture->store, TARGET), 0); /* memory changes at commit */
	pic_change_commit(change, NULL, NULL);
	assert_string_equal(applied.text, "a:-1>1 a:1>2 b:-1>3 a:2>-1 ");
	assert_string_equal(durable.text, "");
	pic_store_settle(fixture->store);
	assert_string_equal(durable.text, applied.text);
}

struct echo {
	struct store_fixture *fixture;
	struct seen seen;
};

/* Answers each new target with a solution, as the engine answers with catalogs. */
static void answer(void *data, enum pic_kind kind, struct pic_object *before,
		   struct pic_object *after, int64_t revision)
{
	struct echo *echo = data;

	see(&echo->seen, kind, before, after, revision);
	if (kind != TARGET || !after)
		return;
	struct pic_change *change = pic_change_new(echo->fixture->store, &store_fixture_actor);
	char name[64];
	snprintf(name, sizeof(name), "for-%s", after->name);
	pic_change_put(change, PIC_KIND_SOLUTION,
		       store_fixture_object("default", name, store_fixture_value(after)), NULL);
	pic_change_commit(change, NULL, NULL);
}

static void a_listener_may_change_the_store(void **state)
{
	struct store_fixture *fixture = *state;
	struct echo echo = { fixture, { "" } };
	struct seen durable = { "" };
	struct pic_change *change = pic_change_new(fixture->store, &store_fixture_actor);

	pic_store_listen(fixture->store, PIC_STORE_APPLIED, answer, &echo);
	pic_store_listen(fixture->store, PIC_STORE_DURABLE, see, &durable);
	pic_change_put(change, TARGET, store_fixture_object("default", "a", 1), NULL);
	pic_change_put(change, TARGET, store_fixture_object("default", "b", 2), NULL);
	pic_change_commit(change, NULL, NULL);
	assert_string_equal(echo.seen.text, "a:-1>1 b:-1>2 for-a:-1>1 for-b:-1>2 ");
	pic_store_settle(fixture->store);
	assert_string_equal(durable.text, echo.seen.text);
}

static void watchers_come_back_to_a_revision(void **state)
{
	struct store_fixture *fixture = *state;
	struct seen seen = { "" };

	for (int i = 1; i <= 3; i++)
		store_fixture_put(fixture, TARGET, store_fixture_object("default", "t", i));
	assert_true(pic_store_replay(fixture->store, 1, see, &seen));
	assert_string_equal(seen.text, "t:1>2 t:2>3 ");
	seen.text[0] = '\0';
	assert_true(pic_store_replay(fixture->store, 3, see, &seen));
	assert_string_equal(seen.text, "");
	assert_false(pic_store_replay(fixture->store, 4, see, &seen)); /* of another store */
	for (int i = 4; i <= 1100; i++) {
		struct pic_change *change = pic_change_new(fixture->store, &store_fixture_actor);

		pic_change_put(change, TARGET, store_fixture_object("default", "t", i), NULL);
		pic_change_commit(change, NULL, NULL);
	}
	pic_store_settle(fixture->store);
	assert_false(pic_store_replay(fixture->store, 3, see, &seen)); /* too old */
	seen.text[0] = '\0';
	assert_true(pic_store_replay(fixture->store, 1098, see, &seen));
	assert_string_equal(seen.text, "t:1098>1099 t:1099>1100 ");
	store_fixture_reopen(fixture);
	assert_false(pic_store_replay(fixture->store, 1099, see, &seen));
	assert_true(
		pic_store_replay(fixture->store, pic_store_revision(fixture->store), see, &seen));
}

static void keep_status(void *data, int status, const struct pic_error *err)
{
	assert_true((status < 0) == (err != NULL));
	*(int *)data = status;
}

static void count_down(void *data, int status, const struct pic_error *err)
{
	(void)err;
	assert_int_equal(status, 0);
	(*(int *)data)--;
}

static void many_changes_share_a_commit(void **state)
{
	struct store_fixture *fixture = *state;
	struct pic_store_facts facts;
	int left = 300;

	for (int i = 0; i < 300; i++) {
		struct pic_change *change = pic_change_new(fixture->store, &store_fixture_actor);
		char name[16];

		snprintf(name, sizeof(name), "t%d", i);
		pic_change_put(change, TARGET, store_fixture_object("default", name, i), NULL);
		pic_change_commit(change, count_down, &left);
	}
	pic_store_settle(fixture->store);
	assert_int_equal(left, 0);
	pic_store_facts(fixture->store, &facts);
	assert_int_equal(facts.changes, 300);
	assert_true(facts.commits < 150);
}

static void an_object_needs_a_name(void **state)
{
	struct store_fixture *fixture = *state;
	struct pic_error err = PIC_ERROR_INIT;
	struct pic_change *change = pic_change_new(fixture->store, &store_fixture_actor);

	assert_int_equal(pic_change_put(change, TARGET, pic_json_new_object(), &err), -EINVAL);
	assert_contains(err.text, "metadata.name");
	pic_change_drop(change);
}

/* Applied or not at all: one step that cannot be takes the others with it. */
static void a_change_is_one(void **state)
{
	struct store_fixture *fixture = *state;
	struct seen applied = { "" };
	char name[300];
	int status = 1;

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	store_fixture_put(fixture, TARGET, store_fixture_object("default", "a", 1));
	pic_store_listen(fixture->store, PIC_STORE_APPLIED, see, &applied);
	struct pic_change *change = pic_change_new(fixture->store, &store_fixture_actor);
	pic_change_put(change, TARGET, store_fixture_object("default", "a", 2), NULL);
	pic_change_put(change, TARGET, store_fixture_object("default", name, 2),
		       NULL); /* too long */
	pic_change_commit(change, keep_status, &status);
	assert_int_equal(status, 1);
	pic_store_settle(fixture->store);
	assert_int_equal(status, -EINVAL);
	assert_string_equal(applied.text, "");
	assert_int_equal(store_fixture_value(pic_store_get(fixture->store, TARGET, "default", "a")),
			 1);
}

static void execute(const struct store_fixture *fixture, const char *sql)
{
	char path[128];
	sqlite3 *sqlite;

	snprintf(path, sizeof(path), "%s/hub.db", fixture->path);
	assert_int_equal(sqlite3_open(path, &sqlite), SQLITE_OK);
	assert_int_equal(sqlite3_exec(sqlite, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(sqlite);
}

static void write_some(struct store_fixture *fixture)
{
	for (int i = 0; i < 5; i++)
		store_fixture_put(fixture, TARGET, store_fixture_object("default", "t", i));
	pic_store_journal(fixture->store, &store_fixture_actor, "token", "login refused");
	pic_store_settle(fixture->store);
}

static void the_journal_holds(void **state)
{
	struct store_fixture *fixture = *state;
	struct pic_error err = PIC_ERROR_INIT;

	assert_int_equal(pic_store_journal_verify(fixture->store, &err), 0);
	write_some(fixture);
	assert_int_equal(pic_store_journal_verify(fixture->store, &err), 0);
	store_fixture_reopen(fixture);
	write_some(fixture);
	assert_int_equal(pic_store_journal_verify(fixture->store, &err), 0);
}

/* A long text of a stranger is cut, and not within a character. */
static void a_long_text_of_the_journal_is_cut(void **state)
{
	struct store_fixture *fixture = *state;
	char text[3000], path[128];
	sqlite3_stmt *statement;
	sqlite3 *sqlite;

	memset(text, 'x', sizeof(text));
	memcpy(text + 1023, "\xc3\xbc", 2);
	text[sizeof(text) - 1] = '\0';
	pic_store_journal(fixture->store, &store_fixture_actor, "token", text);
	pic_store_settle(fixture->store);
	snprintf(path, sizeof(path), "%s/hub.db", fixture->path);
	assert_int_equal(sqlite3_open(path, &sqlite), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(sqlite,
					    "SELECT text FROM journal ORDER BY seq DESC LIMIT 1",
					    -1, &statement, NULL),
			 SQLITE_OK);
	assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
	assert_int_equal(sqlite3_column_bytes(statement, 0), 1023);
	sqlite3_finalize(statement);
	sqlite3_close(sqlite);
}

static void assert_forged(struct store_fixture *fixture, const char *sql, const char *sentence)
{
	struct pic_error err = PIC_ERROR_INIT;

	write_some(fixture);
	execute(fixture, sql);
	assert_int_equal(pic_store_journal_verify(fixture->store, &err), -EBADMSG);
	assert_contains(err.text, sentence);
}

static void a_changed_row_shows(void **state)
{
	assert_forged(*state, "UPDATE journal SET who = 'somebody' WHERE seq = 3", "row 3");
}

static void a_moved_border_shows(void **state)
{
	assert_forged(
		*state,
		"UPDATE journal SET who = 'teste', \"where\" = 'r' || \"where\" WHERE seq = 2",
		"row 2");
}

static void a_removed_row_shows(void **state)
{
	assert_forged(*state, "DELETE FROM journal WHERE seq = 4", "lacks its row 4");
}

static void a_cut_journal_shows(void **state)
{
	assert_forged(*state, "DELETE FROM journal WHERE seq > 4", "ends with row 4");
}

static void take_entries(void *data, struct pic_json *entries, const struct pic_error *err)
{
	assert_null(err);
	*(struct pic_json **)data = pic_json_ref(entries);
}

static void the_journal_says_who_did_what(void **state)
{
	struct store_fixture *fixture = *state;
	PIC_JSON struct pic_json *entries = NULL;

	store_fixture_put(fixture, TARGET, store_fixture_object("default", "t", 1));
	store_fixture_put(fixture, PIC_KIND_EVENT, store_fixture_object("default", "e", 1));
	store_fixture_put(fixture, TARGET, store_fixture_object("default", "t", 2));
	delete_one(fixture, "t");
	pic_store_journal(fixture->store, &store_fixture_actor, "token", "login refused");
	pic_store_journal_list(fixture->store, 0, 10, take_entries, &entries, NULL);
	pic_store_settle(fixture->store);
	assert_int_equal(pic_json_count(entries), 4); /* events are not journalled */
	static const char *const texts[] = { "login refused", "deleted, revision 4",
					     "spec changed, revision 3", "created, revision 1" };
	for (size_t i = 0; i < 4; i++)
		assert_string_equal(pic_json_get_text(pic_json_at(entries, i), "text"), texts[i]);
	struct pic_json *last = pic_json_at(entries, 3);
	assert_string_equal(pic_json_get_text(last, "who"), "tester");
	assert_string_equal(pic_json_get_text(last, "where"), "127.0.0.1:1");
	assert_string_equal(pic_json_get_text(last, "verb"), "apply");
	assert_string_equal(pic_json_get_text(last, "object"), "target default/t");
	pic_json_unref(entries);
	pic_store_journal_list(fixture->store, 3, 1, take_entries, &entries, NULL);
	pic_store_settle(fixture->store);
	assert_int_equal(pic_json_count(entries), 1);
	assert_string_equal(pic_json_get_text(pic_json_at(entries, 0), "text"),
			    "spec changed, revision 3");
}

static void assert_refused(struct store_fixture *fixture, int code, const char *sentence)
{
	struct pic_error err = PIC_ERROR_INIT;
	struct pic_store *store = NULL;

	assert_int_equal(pic_store_open(&store, fixture->loop, fixture->path, &err), code);
	assert_null(store);
	assert_contains(err.text, sentence);
}

static void one_hub_to_a_folder(void **state)
{
	struct store_fixture *fixture = *state;

	assert_refused(fixture, -EBUSY, "another piccolo-hub is running on the state folder");
}

static void a_newer_schema_is_refused(void **state)
{
	struct store_fixture *fixture = *state;

	pic_store_close(fixture->store);
	fixture->store = NULL;
	execute(fixture, "PRAGMA user_version = 7");
	assert_refused(fixture, -EPROTO, "newer piccolo-hub");
}

static void a_damaged_row_is_named(void **state)
{
	struct store_fixture *fixture = *state;

	store_fixture_put(fixture, TARGET, store_fixture_object("default", "t", 1));
	pic_store_close(fixture->store);
	fixture->store = NULL;
	execute(fixture, "UPDATE object SET json = substr(json, 1, 20)");
	assert_refused(fixture, -EINVAL, "damaged at target t");
}

static void files_are_only_ours(void **state)
{
	struct store_fixture *fixture = *state;
	static const char *const names[] = { "hub.db", "hub.db-wal", "hub.lock" };
	char path[128];
	struct stat status;

	store_fixture_put(fixture, TARGET, store_fixture_object("default", "t", 1));
	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/%s", fixture->path, names[i]);
		assert_int_equal(stat(path, &status), 0);
		assert_int_equal(status.st_mode & 0777, 0600);
	}
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, store_fixture_setup, store_fixture_teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(objects_are_found_in_order),
		TEST(metadata_is_the_stores),
		TEST(what_changes_nothing_is_dropped),
		TEST(old_objects_are_never_written_to),
		TEST(a_new_start_finds_all),
		TEST(numbers_keep_their_literal),
		TEST(events_come_applied_then_durable),
		TEST(a_listener_may_change_the_store),
		TEST(watchers_come_back_to_a_revision),
		TEST(many_changes_share_a_commit),
		TEST(an_object_needs_a_name),
		TEST(a_change_is_one),
		TEST(the_journal_holds),
		TEST(a_long_text_of_the_journal_is_cut),
		TEST(a_changed_row_shows),
		TEST(a_moved_border_shows),
		TEST(a_removed_row_shows),
		TEST(a_cut_journal_shows),
		TEST(the_journal_says_who_did_what),
		TEST(one_hub_to_a_folder),
		TEST(a_newer_schema_is_refused),
		TEST(a_damaged_row_is_named),
		TEST(files_are_only_ours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
