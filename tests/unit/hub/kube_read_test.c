/* Lists, pages, tables, ages, watch lines, discovery: everything that only reads. */
#include "hub/kube_world.h"

#include "hub/kube_api/discovery.h"
#include "hub/kube_api/list.h"
#include "hub/kube_api/table.h"
#include "hub/kube_api/watch_event.h"

#define TABLE "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
#define TARGETS "/apis/fabric.symphony/v1/namespaces/default/targets"

static struct pic_object *add_target(struct world *world, const char *space, const char *name,
				     const char *labels, int revision)
{
	PIC_BUF struct pic_buf json = PIC_BUF_INIT(4096);

	pic_buf_format(
		&json,
		"{\"apiVersion\":\"fabric.symphony/v1\",\"kind\":\"Target\",\"metadata\":{\"name\":\"%s\","
		"\"namespace\":\"%s\",\"labels\":%s,\"uid\":\"u-%s\",\"resourceVersion\":\"%d\","
		"\"creationTimestamp\":\"2026-11-24T13:55:00Z\"},\"spec\":{},"
		"\"status\":{\"properties\":{\"status\":\"OK\"}},\"applied\":{\"m\":{}}}",
		name, space, labels, name, revision);
	return world_add(world, PIC_KIND_TARGET, pic_buf_text(&json));
}

static void one_object(void **state)
{
	WORLD world;
	PIC_KUBE_ANSWER struct pic_kube_answer answer = PIC_KUBE_ANSWER_INIT;

	(void)state;
	world_init(&world);
	add_target(&world, "default", "a", "{}", 5);
	struct pic_kube_request request = request_of("GET", TARGETS "/a", NULL);
	pic_kube_get(&request, &world.face, &answer);
	assert_int_equal(answer.status, 200);
	PIC_JSON struct pic_json *object = answer_tree(&answer);
	assert_at(pic_json_find(object, "metadata", "name", NULL), "a");
	assert_null(pic_json_get(object, "applied")); /* the hub's own memory stays inside */
	request = request_of("GET", TARGETS "/b", NULL);
	pic_kube_get(&request, &world.face, &answer);
	assert_int_equal(answer.status, 404);
}

static void hidden_catalogs_are_not_there(void **state)
{
	WORLD world;
	PIC_KUBE_ANSWER struct pic_kube_answer answer = PIC_KUBE_ANSWER_INIT;

	(void)state;
	world_init(&world);
	world_add(
		&world, PIC_KIND_CATALOG,
		"{\"apiVersion\":\"federation.symphony/v1\",\"kind\":\"Catalog\",\"metadata\":{\"name\":\"c\","
		"\"namespace\":\"default\",\"annotations\":{\"piccolo/hidden\":\"true\"}}}");
	struct pic_kube_request request = request_of(
		"GET", "/apis/federation.symphony/v1/namespaces/default/catalogs/c", NULL);
	pic_kube_get(&request, &world.face, &answer);
	assert_int_equal(answer.status, 404);
	request = request_of("GET", "/apis/federation.symphony/v1/catalogs", NULL);
	pic_kube_list(&request, &world.face, 9, &answer);
	PIC_JSON struct pic_json *list = answer_tree(&answer);
	assert_tree(list, "{\"kind\":\"CatalogList\",\"apiVersion\":\"federation.symphony/v1\","
			  "\"metadata\":{\"resourceVersion\":\"9\"},\"items\":[]}");
}

static void assert_names(const struct pic_json *list, const char *expected)
{
	const struct pic_json *items = pic_json_get(list, "items");
	PIC_BUF struct pic_buf names = PIC_BUF_INIT(4096);

	for (size_t i = 0; i < pic_json_count(items); i++)
		pic_buf_format(&names, "%s ",
			       pic_json_text(pic_json_find(pic_json_at(items, i), "metadata",
							   "name", NULL)));
	assert_string_equal(pic_buf_text(&names), expected);
}

static struct pic_json *list_of(struct world *world, const char *path, const char *const *query)
{
	PIC_KUBE_ANSWER struct pic_kube_answer answer = PIC_KUBE_ANSWER_INIT;
	struct pic_kube_request request = request_of("GET", path, query);

	pic_kube_list(&request, &world->face, 77, &answer);
	assert_int_equal(answer.status, 200);
	return answer_tree(&answer);
}

static void lists(void **state)
{
	WORLD world;

	(void)state;
	world_init(&world);
	add_target(&world, "default", "a", "{\"env\":\"prod\"}", 2);
	add_target(&world, "default", "b", "{}", 3);
	add_target(&world, "other", "c", "{\"env\":\"prod\"}", 4);
	PIC_JSON struct pic_json *all = list_of(&world, "/apis/fabric.symphony/v1/targets", NULL);
	assert_names(all, "a b c ");
	assert_at(pic_json_find(all, "metadata", "resourceVersion", NULL), "77");
	PIC_JSON struct pic_json *one = list_of(&world, TARGETS, NULL);
	assert_names(one, "a b ");
	PIC_JSON struct pic_json *labelled = list_of(&world, "/apis/fabric.symphony/v1/targets",
						     QUERY("labelSelector", "env=prod"));
	assert_names(labelled, "a c ");
	PIC_JSON struct pic_json *named =
		list_of(&world, TARGETS, QUERY("fieldSelector", "metadata.name=b"));
	assert_names(named, "b ");
	PIC_JSON struct pic_json *nowhere =
		list_of(&world, "/apis/fabric.symphony/v1/namespaces/nowhere/targets", NULL);
	assert_names(nowhere, "");
}

static void pages_go_by_key(void **state)
{
	WORLD world;
	PIC_KUBE_ANSWER struct pic_kube_answer answer = PIC_KUBE_ANSWER_INIT;

	(void)state;
	world_init(&world);
	add_target(&world, "default", "a", "{}", 2);
	add_target(&world, "default", "b", "{}", 3);
	add_target(&world, "other", "a", "{}", 4);
	PIC_JSON struct pic_json *first =
		list_of(&world, "/apis/fabric.symphony/v1/targets", QUERY("limit", "2"));
	assert_names(first, "a b ");
	const char *token = pic_json_text(pic_json_find(first, "metadata", "continue", NULL));
	assert_non_null(token);
	PIC_JSON struct pic_json *second = list_of(&world, "/apis/fabric.symphony/v1/targets",
						   QUERY("limit", "2", "continue", token));
	assert_names(second, "a ");
	assert_null(pic_json_find(second, "metadata", "continue", NULL));
	PIC_JSON struct pic_json *exact =
		list_of(&world, "/apis/fabric.symphony/v1/targets", QUERY("limit", "3"));
	assert_null(pic_json_find(exact, "metadata", "continue", NULL));
	struct pic_kube_request request = request_of("GET", TARGETS, QUERY("continue", "%%%"));
	pic_kube_list(&request, &world.face, 1, &answer);
	assert_int_equal(answer.status, 400);
	request = request_of("GET", TARGETS, QUERY("limit", "-1"));
	pic_kube_list(&request, &world.face, 1, &answer);
	assert_int_equal(answer.status, 400);
	request = request_of("GET", TARGETS, QUERY("fieldSelector", "spec.x=1"));
	pic_kube_list(&request, &world.face, 1, &answer);
	assert_int_equal(answer.status, 400);
	assert_non_null(strstr(pic_buf_text(&answer.body), "field label not supported: spec.x"));
}

static void tables(void **state)
{
	WORLD world;
	PIC_KUBE_ANSWER struct pic_kube_answer answer = PIC_KUBE_ANSWER_INIT;

	(void)state;
	world_init(&world);
	add_target(&world, "default", "a", "{}", 2);
	struct pic_kube_request request = request_of("GET", TARGETS, NULL);
	request.accept = TABLE;
	pic_kube_list(&request, &world.face, 9, &answer);
	PIC_JSON struct pic_json *table = answer_tree(&answer);
	assert_at(pic_json_get(table, "kind"), "Table");
	const struct pic_json *columns = pic_json_get(table, "columnDefinitions");
	const struct pic_json *row = pic_json_at(pic_json_get(table, "rows"), 0);
	const struct pic_json *cells = pic_json_get(row, "cells");
	size_t count = pic_json_count(columns);
	assert_int_equal(pic_json_count(cells), count);
	assert_at(pic_json_get(pic_json_at(columns, 0), "name"), "Name");
	assert_at(pic_json_get(pic_json_at(columns, count - 1), "name"), "Age");
	assert_at(pic_json_at(cells, 0), "a");
	assert_at(pic_json_at(cells, 1), "OK");
	assert_at(pic_json_at(cells, count - 1), "5m");
	assert_at(pic_json_find(row, "object", "kind", NULL), "PartialObjectMetadata");
	assert_at(pic_json_find(row, "object", "metadata", "namespace", NULL), "default");
	request.from = QUERY("includeObject", "Object");
	pic_kube_list(&request, &world.face, 9, &answer);
	PIC_JSON struct pic_json *full = answer_tree(&answer);
	row = pic_json_at(pic_json_get(full, "rows"), 0);
	assert_at(pic_json_find(row, "object", "kind", NULL), "Target");
	assert_null(pic_json_find(row, "object", "applied", NULL));
}

static void table_of_events(void **state)
{
	PIC_JSON struct pic_json *event = tree(
		"{\"metadata\":{\"name\":\"e\"},\"involvedObject\":{\"kind\":\"Instance\",\"name\":\"app\"},"
		"\"reason\":\"Staged\",\"message\":\"done\",\"type\":\"Normal\","
		"\"lastTimestamp\":\"2026-11-24T13:59:48Z\"}");
	const struct pic_kind_facts *facts = pic_kind_facts(PIC_KIND_EVENT);
	PIC_JSON struct pic_json *table = pic_kube_table_new(facts, -1);
	int64_t now;

	(void)state;
	assert_int_equal(pic_time_parse("2026-11-24T14:00:00Z", &now), 0);
	pic_kube_table_add(table, facts, event, PIC_KUBE_INCLUDE_NONE, now);
	const struct pic_json *row = pic_json_at(pic_json_get(table, "rows"), 0);
	const struct pic_json *cells = pic_json_get(row, "cells");
	assert_at(pic_json_at(cells, 0), "12s");
	assert_at(pic_json_at(cells, 2), "Staged");
	assert_at(pic_json_at(cells, 3), "instance/app");
	assert_int_equal(pic_json_type(pic_json_get(row, "object")), PIC_JSON_NULL);
}

static void add_event(struct world *world, const char *name, int revision)
{
	PIC_BUF struct pic_buf json = PIC_BUF_INIT(1024);

	pic_buf_format(&json,
		       "{\"apiVersion\":\"v1\",\"kind\":\"Event\",\"metadata\":{\"name\":\"%s\","
		       "\"namespace\":\"default\",\"resourceVersion\":\"%d\",\"uid\":\"%s\"}}",
		       name, revision, name);
	world_add(world, PIC_KIND_EVENT, pic_buf_text(&json));
}

static void events_are_in_time_order(void **state)
{
	static const char path[] = "/api/v1/namespaces/default/events";
	WORLD world;

	(void)state;
	world_init(&world);
	add_event(&world, "a", 12);
	add_event(&world, "b", 9);
	add_event(&world, "c", 30);
	add_event(&world, "d", 10);
	PIC_JSON struct pic_json *all = list_of(&world, path, NULL);
	assert_names(all, "b d a c ");
	PIC_JSON struct pic_json *fits = list_of(&world, path, QUERY("limit", "4"));
	assert_names(fits, "b d a c ");
	assert_null(pic_json_find(fits, "metadata", "continue", NULL));
	/* pages go by key, so that none is left out when events are counted in between */
	PIC_JSON struct pic_json *first = list_of(&world, path, QUERY("limit", "3"));
	assert_names(first, "a b c ");
	const char *token = pic_json_text(pic_json_find(first, "metadata", "continue", NULL));
	assert_non_null(token);
	PIC_JSON struct pic_json *second =
		list_of(&world, path, QUERY("limit", "3", "continue", token));
	assert_names(second, "d ");
}

static void ages(void **state)
{
	static const struct {
		const char *since, *age;
	} cases[] = {
		{ "2026-11-24T14:00:00Z", "0s" },  { "2026-11-24T13:58:01Z", "119s" },
		{ "2026-11-24T13:58:00Z", "2m" },  { "2026-11-24T13:54:45Z", "5m15s" },
		{ "2026-11-24T13:00:00Z", "60m" }, { "2026-11-24T10:30:00Z", "3h30m" },
		{ "2026-11-22T20:00:00Z", "42h" }, { "2026-11-20T10:00:00Z", "4d4h" },
		{ "2026-11-01T14:00:00Z", "23d" }, { "2023-11-25T14:00:00Z", "3y" },
		{ "2026-11-24T15:00:00Z", "0s" }, /* a clock that was set back */
	};
	int64_t now;

	(void)state;
	assert_int_equal(pic_time_parse("2026-11-24T14:00:00Z", &now), 0);
	for (size_t i = 0; i < PIC_COUNT(cases); i++) {
		PIC_JSON struct pic_json *since = pic_json_new_text(cases[i].since);
		char age[PIC_TIME_TEXT];
		pic_kube_age(since, now, age);
		assert_string_equal(age, cases[i].age);
	}
	char age[PIC_TIME_TEXT];
	pic_kube_age(NULL, now, age);
	assert_string_equal(age, "<unknown>");
}

static struct pic_kube_watch_form plain_form(void)
{
	return (struct pic_kube_watch_form){ pic_kind_facts(PIC_KIND_TARGET), false,
					     PIC_KUBE_INCLUDE_METADATA };
}

/* "TYPE resourceVersion", or "" when nothing is seen. */
static void assert_seen(const char *selector, struct pic_object *before, struct pic_object *after,
			const char *expected)
{
	PIC_KUBE_ANSWER struct pic_kube_answer answer = PIC_KUBE_ANSWER_INIT;
	struct pic_kube_request request =
		request_of("GET", TARGETS, QUERY("labelSelector", selector));
	PIC_KUBE_FILTER struct pic_kube_filter filter = { 0 };
	const struct pic_kube_watch_form form = plain_form();
	PIC_BUF struct pic_buf line = PIC_BUF_INIT(65536), seen = PIC_BUF_INIT(1024);

	assert_true(pic_kube_filter_read(&request, &filter, &answer));
	if (pic_kube_watch_write(&filter, &form, before, after, 99, request.now_ms, &line)) {
		PIC_JSON struct pic_json *event = tree(pic_buf_text(&line));
		assert_int_equal(line.data[line.size - 1], '\n');
		pic_buf_format(&seen, "%s %s", pic_json_get_text(event, "type"),
			       pic_json_text(pic_json_find(event, "object", "metadata",
							   "resourceVersion", NULL)));
		assert_null(pic_json_find(event, "object", "applied", NULL));
	}
	assert_string_equal(pic_buf_text(&seen), expected);
}

static void watch_events(void **state)
{
	WORLD world;

	(void)state;
	world_init(&world);
	struct pic_object *old = add_target(&world, "default", "a", "{\"env\":\"dev\"}", 7);
	struct pic_object *new = add_target(&world, "default", "a", "{\"env\":\"prod\"}", 99);
	struct pic_object *far = add_target(&world, "other", "a", "{\"env\":\"prod\"}", 99);
	assert_seen("", NULL, new, "ADDED 99");
	assert_seen("", old, new, "MODIFIED 99");
	assert_seen("", new, NULL, "DELETED 99");
	assert_seen("", old, NULL, "DELETED 99"); /* the revision of the deletion */
	assert_seen("", NULL, far, "");
	assert_seen("env=prod", old, new, "ADDED 99");
	assert_seen("env=dev", old, new, "DELETED 99");
	assert_seen("env=x", old, new, "");
}

static void watch_tables_and_bookmarks(void **state)
{
	WORLD world;
	struct pic_kube_watch_form form = plain_form();
	PIC_BUF struct pic_buf line = PIC_BUF_INIT(65536);

	(void)state;
	world_init(&world);
	struct pic_object *target = add_target(&world, "default", "a", "{}", 7);
	form.table = true;
	pic_kube_watch_write_initial(&form, target, 0, &line);
	PIC_JSON struct pic_json *event = tree(pic_buf_text(&line));
	assert_at(pic_json_get(event, "type"), "ADDED");
	assert_at(pic_json_find(event, "object", "kind", NULL), "Table");
	assert_int_equal(pic_json_count(pic_json_find(event, "object", "rows", NULL)), 1);
	pic_buf_clear(&line);
	pic_kube_watch_write_bookmark(&form, 12, true, &line);
	PIC_JSON struct pic_json *bookmark = tree(pic_buf_text(&line));
	assert_tree(
		bookmark,
		"{\"type\":\"BOOKMARK\",\"object\":{\"kind\":\"Target\","
		"\"apiVersion\":\"fabric.symphony/v1\",\"metadata\":{\"resourceVersion\":\"12\","
		"\"creationTimestamp\":null,\"annotations\":{\"k8s.io/initial-events-end\":"
		"\"true\"}}}}");
}

static const struct pic_json *entry(const struct pic_json *list, const char *key, const char *name)
{
	for (size_t i = 0; i < pic_json_count(list); i++)
		if (strcmp(pic_json_text_or(pic_json_get(pic_json_at(list, i), key), ""), name) ==
		    0)
			return pic_json_at(list, i);
	fail_msg("%s is not listed", name);
	return NULL;
}

static void legacy_discovery(void **state)
{
	PIC_JSON struct pic_json *groups = pic_kube_groups();
	PIC_JSON struct pic_json *resources = pic_kube_resources("solution.symphony", "v1");
	PIC_JSON struct pic_json *core = pic_kube_resources("", "v1");

	(void)state;
	const struct pic_json *group =
		entry(pic_json_get(groups, "groups"), "name", "fabric.symphony");
	assert_at(pic_json_find(group, "preferredVersion", "groupVersion", NULL),
		  "fabric.symphony/v1");
	assert_at(pic_json_get(resources, "groupVersion"), "solution.symphony/v1");
	const struct pic_json *list = pic_json_get(resources, "resources");
	const struct pic_json *instances = entry(list, "name", "instances");
	assert_true(pic_json_true(pic_json_get(instances, "namespaced")));
	assert_at(pic_json_get(instances, "kind"), "Instance");
	entry(list, "name", "solutions/status");
	assert_at(pic_json_get(core, "groupVersion"), "v1");
	assert_false(pic_json_true(pic_json_get(
		entry(pic_json_get(core, "resources"), "name", "namespaces"), "namespaced")));
	assert_null(pic_kube_resources("solution.symphony", "v2"));
	assert_null(pic_kube_group("nobody.symphony"));
}

static void aggregated_discovery(void **state)
{
	PIC_JSON struct pic_json *groups = pic_kube_aggregated(false, "v2");
	PIC_JSON struct pic_json *core = pic_kube_aggregated(true, "v2beta1");
	const struct pic_json *items = pic_json_get(groups, "items");

	(void)state;
	assert_at(pic_json_get(groups, "apiVersion"), "apidiscovery.k8s.io/v2");
	for (size_t i = 0; i < pic_json_count(items); i++) {
		const struct pic_json *versions = pic_json_get(pic_json_at(items, i), "versions");
		assert_non_null(pic_json_find(pic_json_at(items, i), "metadata", "name", NULL));
		for (size_t v = 0; v < pic_json_count(versions); v++) {
			const struct pic_json *resources =
				pic_json_get(pic_json_at(versions, v), "resources");
			assert_true(pic_json_count(resources) > 0);
			for (size_t r = 0; r < pic_json_count(resources); r++) {
				const struct pic_json *resource = pic_json_at(resources, r);
				assert_non_null(
					pic_json_find(resource, "responseKind", "kind", NULL));
				assert_non_null(pic_json_get(resource, "scope"));
			}
		}
	}
	const struct pic_json *item = pic_json_at(pic_json_get(core, "items"), 0);
	assert_int_equal(pic_json_count(pic_json_get(item, "metadata")), 0);
	assert_at(pic_json_get(core, "apiVersion"), "apidiscovery.k8s.io/v2beta1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_object),
		cmocka_unit_test(hidden_catalogs_are_not_there),
		cmocka_unit_test(lists),
		cmocka_unit_test(pages_go_by_key),
		cmocka_unit_test(tables),
		cmocka_unit_test(table_of_events),
		cmocka_unit_test(events_are_in_time_order),
		cmocka_unit_test(ages),
		cmocka_unit_test(watch_events),
		cmocka_unit_test(watch_tables_and_bookmarks),
		cmocka_unit_test(legacy_discovery),
		cmocka_unit_test(aggregated_discovery),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
