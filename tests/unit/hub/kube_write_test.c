/* POST, PUT, PATCH and DELETE up to the moment of storing: every rule a client can meet. */
#include "hub/kube_world.h"

#include "base/clock.h"
#include "hub/kube_api/present.h"
#include "hub/kube_api/remove.h"
#include "hub/kube_api/write.h"

#define SOLUTIONS "/apis/solution.symphony/v1/namespaces/default/solutions"
#define CAMPAIGNS "/apis/workflow.symphony/v1/namespaces/default/campaigns"
#define INSTANCES "/apis/solution.symphony/v1/namespaces/default/instances"
#define CATALOGS "/apis/federation.symphony/v1/namespaces/default/catalogs"
#define MERGE "application/merge-patch+json"
#define JSON_PATCH "application/json-patch+json"
#define APPLY "application/apply-patch+yaml"
#define JSON "application/json"

#define SOLUTION_HEAD "\"apiVersion\":\"solution.symphony/v1\",\"kind\":\"Solution\""
#define APP \
	"{" SOLUTION_HEAD \
	",\"metadata\":{\"name\":\"app\"},\"spec\":{\"components\":[{\"name\":\"c\"," \
	"\"type\":\"wasm\",\"properties\":{\"wasm.url\":\"http://x/y.wasm\"}}]}}"
#define LIVE_APP \
	"{" SOLUTION_HEAD \
	",\"metadata\":{\"name\":\"app\",\"namespace\":\"default\",\"uid\":\"u1\"," \
	"\"resourceVersion\":\"10\",\"generation\":3,\"creationTimestamp\":\"2026-11-24T10:00:00Z\"," \
	"\"labels\":{\"env\":\"dev\"}},\"spec\":{\"displayName\":\"app\",\"components\":[{\"name\":\"c\"," \
	"\"type\":\"wasm\",\"properties\":{\"wasm.url\":\"http://x/y.wasm\"}}]}," \
	"\"status\":{\"conditions\":[]}}"

/* One write and what came of it. */
struct outcome {
	struct pic_kube_draft draft;
	struct pic_kube_answer answer;
};

static void outcome_free(struct outcome *outcome)
{
	pic_json_unref(outcome->draft.put);
	pic_kube_answer_free(&outcome->answer);
}

#define OUTCOME PIC_CLEANUP(outcome_free) struct outcome

static struct outcome write_object(struct world *world, const char *method, const char *path,
				   const char *const *query, const char *type, const char *body)
{
	struct outcome outcome = { .answer = PIC_KUBE_ANSWER_INIT };
	struct pic_kube_request request = request_with(method, path, query, type, body);

	pic_kube_draft(&request, &world->face, &outcome.draft, &outcome.answer);
	assert_true((outcome.draft.put != NULL) != (outcome.answer.status != 0));
	return outcome;
}

static void assert_refused(const struct outcome *outcome, int status, const char *part)
{
	const char *body = pic_buf_text(&outcome->answer.body);

	if (outcome->answer.status != status || !strstr(body, part))
		fail_msg("%d %s, wanted %d with \"%s\"", outcome->answer.status, body, status,
			 part);
}

static void assert_put(const struct outcome *outcome, int status)
{
	if (!outcome->draft.put)
		fail_msg("nothing to store: %s", pic_buf_text(&outcome->answer.body));
	assert_int_equal(outcome->draft.status, status);
}

static struct pic_json *put_at(const struct outcome *outcome, const char *key)
{
	return pic_json_get(pic_json_get(outcome->draft.put, "metadata"), key);
}

static void assert_number(const struct pic_json *value, long long expected)
{
	long long number = -1;

	assert_true(pic_json_integer(value, &number));
	assert_int_equal(number, expected);
}

static void create(void **state)
{
	WORLD world;

	(void)state;
	world_init(&world);
	OUTCOME made = write_object(
		&world, "POST", SOLUTIONS, NULL, JSON,
		"{" SOLUTION_HEAD ",\"metadata\":{\"name\":\"app\",\"creationTimestamp\":null,"
		"\"uid\":\"mine\",\"generation\":9,\"resourceVersion\":\"5\",\"selfLink\":\"x\","
		"\"managedFields\":[{}],\"annotations\":{\"a\":\"b\",\"piccolo/hidden\":\"x\"}},"
		"\"spec\":{\"components\":[]},\"status\":{\"x\":1}}");
	assert_put(&made, 201);
	assert_tree(made.draft.put,
		    "{" SOLUTION_HEAD ",\"metadata\":{\"name\":\"app\",\"namespace\":\"default\","
		    "\"annotations\":{\"a\":\"b\"},\"generation\":1},"
		    "\"spec\":{\"components\":[],\"displayName\":\"app\"}}");
	OUTCOME untyped = write_object(&world, "POST", SOLUTIONS, NULL, "", APP);
	assert_put(&untyped, 201); /* old kubectl sends no Content-Type */
}

static void create_refused(void **state)
{
	WORLD world;

	(void)state;
	world_init(&world);
	world_add(&world, PIC_KIND_SOLUTION, LIVE_APP);
	OUTCOME twice = write_object(&world, "POST", SOLUTIONS, NULL, JSON, APP);
	assert_refused(&twice, 409, "solutions.solution.symphony \\\"app\\\" already exists");
	OUTCOME nowhere = write_object(&world, "POST",
				       "/apis/solution.symphony/v1/namespaces/nowhere/solutions",
				       NULL, JSON, APP);
	assert_refused(&nowhere, 404, "namespaces \\\"nowhere\\\" not found");
	OUTCOME kind = write_object(&world, "POST", INSTANCES, NULL, JSON, APP);
	assert_refused(&kind, 400, "does not match the expected kind (Instance)");
	OUTCOME version =
		write_object(&world, "POST", SOLUTIONS, NULL, JSON,
			     "{\"apiVersion\":\"solution.symphony/v2\",\"kind\":\"Solution\"}");
	assert_refused(&version, 400, "expected API version (solution.symphony/v1)");
	OUTCOME space = write_object(&world, "POST", SOLUTIONS, NULL, JSON,
				     "{" SOLUTION_HEAD
				     ",\"metadata\":{\"name\":\"b\",\"namespace\":\"other\"}}");
	assert_refused(&space, 400, "namespace of the provided object");
	OUTCOME damaged = write_object(&world, "POST", SOLUTIONS, NULL, JSON, "{\"a\":");
	assert_refused(&damaged, 400, "cannot be read");
	OUTCOME list = write_object(&world, "POST", SOLUTIONS, NULL, JSON, "[]");
	assert_refused(&list, 400, "must be an object");
	OUTCOME type = write_object(&world, "POST", SOLUTIONS, NULL, "text/plain", APP);
	assert_refused(&type, 415, "accepted media types");
	OUTCOME empty = write_object(&world, "POST", SOLUTIONS, NULL, JSON, "");
	assert_refused(&empty, 400, "no body");
	OUTCOME name = write_object(&world, "POST", SOLUTIONS, NULL, JSON,
				    "{" SOLUTION_HEAD
				    ",\"metadata\":{\"name\":\"Not A Name\"},\"spec\":{}}");
	assert_refused(&name, 422, "metadata.name");
	OUTCOME meta = write_object(&world, "POST", SOLUTIONS, NULL, JSON,
				    "{" SOLUTION_HEAD ",\"metadata\":7}");
	assert_refused(&meta, 400, "metadata must be an object");
}

static void create_yaml(void **state)
{
	WORLD world;

	(void)state;
	world_init(&world);
	OUTCOME made = write_object(
		&world, "POST", SOLUTIONS, NULL, "application/yaml",
		"apiVersion: solution.symphony/v1\nkind: Solution\nmetadata:\n  name: app\n"
		"spec:\n  components: []\n");
	assert_put(&made, 201);
}

static void generated_names(void **state)
{
	WORLD world;

	(void)state;
	world_init(&world);
	OUTCOME made = write_object(&world, "POST", SOLUTIONS, NULL, JSON,
				    "{" SOLUTION_HEAD ",\"metadata\":{\"generateName\":\"app-\"},"
				    "\"spec\":{\"components\":[]}}");
	assert_put(&made, 201);
	const char *name = pic_json_text(put_at(&made, "name"));
	assert_non_null(name);
	assert_int_equal(strlen(name), 9);
	assert_memory_equal(name, "app-", 4);
	assert_true(pic_name_is_valid(name, PIC_OBJECT_NAME_MAX));
}

static void unknown_fields(void **state)
{
	static const char body[] =
		"{" SOLUTION_HEAD ",\"metadata\":{\"name\":\"b\"},"
		"\"spec\":{\"componentz\":[],\"components\":[{\"name\":\"c\",\"type\":\"wasm\",\"properties\":{\"wasm.url\":\"http://x/y\"},\"typo\":1}]}}";
	WORLD world;

	(void)state;
	world_init(&world);
	OUTCOME strict = write_object(&world, "POST", SOLUTIONS, QUERY("fieldValidation", "Strict"),
				      JSON, body);
	assert_refused(
		&strict, 400,
		"Solution in version \\\"v1\\\" cannot be handled as a Solution: strict decoding error: "
		"unknown field \\\"spec.componentz\\\"");
	assert_refused(&strict, 400, "unknown field \\\"spec.components[0].typo\\\"");
	OUTCOME warned = write_object(&world, "POST", SOLUTIONS, NULL, JSON, body);
	assert_put(&warned, 201);
	assert_true(warned.answer.warning_count >= 2);
	assert_non_null(strstr(warned.answer.warnings[0], "unknown field \"spec.componentz\""));
	assert_non_null(pic_json_find(warned.draft.put, "spec", "componentz", NULL)); /* kept */
	OUTCOME silent = write_object(&world, "POST", SOLUTIONS, QUERY("fieldValidation", "Ignore"),
				      JSON, body);
	assert_put(&silent, 201);
	assert_int_equal(silent.answer.warning_count, 0);
}

static void types_and_required_values(void **state)
{
	WORLD world;

	(void)state;
	world_init(&world);
	OUTCOME type = write_object(&world, "POST", SOLUTIONS, QUERY("fieldValidation", "Ignore"),
				    JSON,
				    "{" SOLUTION_HEAD
				    ",\"metadata\":{\"name\":\"b\"},\"spec\":{\"components\":7}}");
	assert_refused(&type, 422, "\"field\":\"spec.components\"");
	OUTCOME required = write_object(
		&world, "POST", INSTANCES, NULL, JSON,
		"{\"apiVersion\":\"solution.symphony/v1\",\"kind\":\"Instance\","
		"\"metadata\":{\"name\":\"noreq\"},\"spec\":{\"target\":{\"name\":\"t\"}}}");
	assert_refused(&required, 422, "\"reason\":\"FieldValueRequired\"");
	assert_refused(&required, 422, "\"field\":\"spec.solution\"");
	assert_refused(&required, 422, "\"kind\":\"Instance\"");
	OUTCOME label = write_object(&world, "POST", SOLUTIONS, NULL, JSON,
				     "{" SOLUTION_HEAD
				     ",\"metadata\":{\"name\":\"b\",\"labels\":{\"a b\":\"c\"}},"
				     "\"spec\":{\"components\":[]}}");
	assert_refused(&label, 422, "metadata.labels");
}

static void annotations_are_bounded(void **state)
{
	PIC_BUF struct pic_buf body = PIC_BUF_INIT(1024 * 1024);
	WORLD world;

	(void)state;
	world_init(&world);
	pic_buf_text_add(&body, "{" SOLUTION_HEAD
				",\"metadata\":{\"name\":\"b\",\"annotations\":{\"a\":\"");
	for (int i = 0; i < 256 * 1024; i++)
		pic_buf_char(&body, 'x');
	pic_buf_text_add(&body, "\"}},\"spec\":{\"components\":[]}}");
	OUTCOME large = write_object(&world, "POST", SOLUTIONS, NULL, JSON, pic_buf_text(&body));
	assert_refused(&large, 422, "Too long");
}

static void dry_run_answers_and_stores_nothing(void **state)
{
	WORLD world;

	(void)state;
	world_init(&world);
	OUTCOME created =
		write_object(&world, "POST", SOLUTIONS, QUERY("dryRun", "All"), JSON, APP);
	assert_int_equal(created.answer.status, 201);
	PIC_JSON struct pic_json *object = answer_tree(&created.answer);
	assert_at(pic_json_find(object, "metadata", "creationTimestamp", NULL),
		  "2026-11-24T14:00:00Z");
	world_add(&world, PIC_KIND_SOLUTION, LIVE_APP);
	OUTCOME patched = write_object(&world, "PATCH", SOLUTIONS "/app", QUERY("dryRun", "All"),
				       MERGE, "{\"spec\":{\"displayName\":\"other\"}}");
	assert_int_equal(patched.answer.status, 200);
	PIC_JSON struct pic_json *after = answer_tree(&patched.answer);
	assert_at(pic_json_find(after, "spec", "displayName", NULL), "other");
	assert_at(pic_json_find(after, "metadata", "uid", NULL), "u1");
}

static void replace(void **state)
{
	WORLD world;

	(void)state;
	world_init(&world);
	world_add(&world, PIC_KIND_SOLUTION, LIVE_APP);
	OUTCOME same = write_object(&world, "PUT", SOLUTIONS "/app", NULL, JSON, LIVE_APP);
	assert_int_equal(same.answer.status, 200); /* nothing to store */
	OUTCOME stale = write_object(&world, "PUT", SOLUTIONS "/app", NULL, JSON,
				     "{" SOLUTION_HEAD
				     ",\"metadata\":{\"name\":\"app\",\"resourceVersion\":\"9\"},"
				     "\"spec\":{\"components\":[]}}");
	assert_refused(&stale, 409, "the object has been modified");
	OUTCOME other = write_object(&world, "PUT", SOLUTIONS "/app", NULL, JSON,
				     "{" SOLUTION_HEAD
				     ",\"metadata\":{\"name\":\"app\",\"uid\":\"u2\"},"
				     "\"spec\":{\"components\":[]}}");
	assert_refused(&other, 409, "the object has been modified");
	OUTCOME free_of = write_object(
		&world, "PUT", SOLUTIONS "/app", NULL, JSON,
		"{" SOLUTION_HEAD ",\"metadata\":{\"name\":\"app\"},\"spec\":{\"components\":[]},"
		"\"status\":{\"wiped\":true}}");
	assert_put(&free_of, 200);
	assert_number(put_at(&free_of, "generation"), 4);
	assert_at(put_at(&free_of, "uid"), "u1");
	assert_at(put_at(&free_of, "creationTimestamp"), "2026-11-24T10:00:00Z");
	assert_null(put_at(&free_of, "labels"));
	assert_tree(pic_json_get(free_of.draft.put, "status"), "{\"conditions\":[]}");
	OUTCOME name = write_object(&world, "PUT", SOLUTIONS "/app", NULL, JSON,
				    "{" SOLUTION_HEAD ",\"metadata\":{\"name\":\"b\"}}");
	assert_refused(&name, 400, "does not match the name on the URL (app)");
	OUTCOME absent = write_object(&world, "PUT", SOLUTIONS "/gone", NULL, JSON, APP);
	assert_refused(&absent, 404, "not found");
}

static void merge_patches(void **state)
{
	WORLD world;

	(void)state;
	world_init(&world);
	world_add(&world, PIC_KIND_SOLUTION, LIVE_APP);
	OUTCOME label = write_object(&world, "PATCH", SOLUTIONS "/app", NULL, MERGE,
				     "{\"metadata\":{\"labels\":{\"env\":null,\"a\":\"b\"}}}");
	assert_put(&label, 200);
	assert_tree(put_at(&label, "labels"), "{\"a\":\"b\"}");
	assert_number(put_at(&label, "generation"), 3); /* nothing wanted has changed */
	OUTCOME nothing = write_object(&world, "PATCH", SOLUTIONS "/app", NULL, MERGE, "{}");
	assert_int_equal(nothing.answer.status, 200);
	OUTCOME own = write_object(
		&world, "PATCH", SOLUTIONS "/app", NULL, MERGE,
		"{\"metadata\":{\"uid\":null,\"generation\":99,\"creationTimestamp\":\"x\","
		"\"deletionTimestamp\":\"2026-11-24T10:00:00Z\"},\"status\":null}");
	assert_int_equal(own.answer.status, 200); /* all of it is the server's own: no change */
	OUTCOME spec = write_object(&world, "PATCH", SOLUTIONS "/app", NULL, MERGE,
				    "{\"spec\":{\"components\":[]},\"status\":{\"x\":1}}");
	assert_put(&spec, 200);
	assert_number(put_at(&spec, "generation"), 4);
	assert_tree(pic_json_get(spec.draft.put, "status"), "{\"conditions\":[]}");
	OUTCOME stale = write_object(
		&world, "PATCH", SOLUTIONS "/app", NULL, MERGE,
		"{\"metadata\":{\"resourceVersion\":\"9\"},\"spec\":{\"components\":[]}}");
	assert_refused(&stale, 409, "Conflict");
	OUTCOME text = write_object(&world, "PATCH", SOLUTIONS "/app", NULL, MERGE, "\"x\"");
	assert_refused(&text, 400, "must be an object");
	OUTCOME absent = write_object(&world, "PATCH", SOLUTIONS "/gone", NULL, MERGE, "{}");
	assert_refused(&absent, 404, "not found");
	OUTCOME strategic = write_object(&world, "PATCH", SOLUTIONS "/app", NULL,
					 "application/strategic-merge-patch+json", "{}");
	assert_refused(&strategic, 415, "application/merge-patch+json");
	OUTCOME space = write_object(&world, "PATCH", "/api/v1/namespaces/default", NULL,
				     "application/strategic-merge-patch+json",
				     "{\"metadata\":{\"labels\":{\"a\":\"b\"}}}");
	assert_put(&space, 200);
}

static void json_patches(void **state)
{
	WORLD world;

	(void)state;
	world_init(&world);
	world_add(&world, PIC_KIND_SOLUTION, LIVE_APP);
	OUTCOME done = write_object(
		&world, "PATCH", SOLUTIONS "/app", NULL, JSON_PATCH,
		"[{\"op\":\"test\",\"path\":\"/spec/components/0/name\",\"value\":\"c\"},"
		"{\"op\":\"replace\",\"path\":\"/spec/components/0/name\",\"value\":\"d\"}]");
	assert_put(&done, 200);
	OUTCOME test =
		write_object(&world, "PATCH", SOLUTIONS "/app", NULL, JSON_PATCH,
			     "[{\"op\":\"test\",\"path\":\"/spec/displayName\",\"value\":\"x\"}]");
	assert_refused(&test, 422, "is another one");
	OUTCOME bad = write_object(&world, "PATCH", SOLUTIONS "/app", NULL, JSON_PATCH, "{}");
	assert_refused(&bad, 400, "list of operations");
	OUTCOME kind =
		write_object(&world, "PATCH", SOLUTIONS "/app", NULL, JSON_PATCH,
			     "[{\"op\":\"replace\",\"path\":\"/kind\",\"value\":\"Target\"}]");
	assert_refused(&kind, 400, "expected kind");
	OUTCOME all = write_object(&world, "PATCH", SOLUTIONS "/app", NULL, JSON_PATCH,
				   "[{\"op\":\"replace\",\"path\":\"\",\"value\":3}]");
	assert_refused(&all, 400, "must be an object");
}

static void applies(void **state)
{
	WORLD world;

	(void)state;
	world_init(&world);
	OUTCOME created = write_object(&world, "PATCH", SOLUTIONS "/app",
				       QUERY("fieldManager", "kubectl"), APPLY, APP);
	assert_put(&created, 201);
	assert_non_null(
		pic_json_find(created.draft.put, PIC_KUBE_APPLIED, "kubectl", "spec", NULL));
	OUTCOME nobody = write_object(&world, "PATCH", SOLUTIONS "/app", NULL, APPLY, APP);
	assert_refused(&nobody, 422, "fieldManager");
	world_add(&world, PIC_KIND_SOLUTION,
		  "{" SOLUTION_HEAD
		  ",\"metadata\":{\"name\":\"app\",\"namespace\":\"default\",\"uid\":\"u1\","
		  "\"resourceVersion\":\"10\",\"generation\":1},\"spec\":{\"displayName\":\"x\","
		  "\"components\":[]},\"applied\":{\"other\":{\"spec\":{\"displayName\":\"x\"}}}}");
	const char *config = "{" SOLUTION_HEAD ",\"metadata\":{\"name\":\"app\"},"
			     "\"spec\":{\"displayName\":\"y\",\"components\":[]}}";
	OUTCOME conflict = write_object(&world, "PATCH", SOLUTIONS "/app",
					QUERY("fieldManager", "kubectl"), APPLY, config);
	assert_refused(&conflict, 409,
		       "Apply failed with 1 conflict: conflict with \\\"other\\\": "
		       ".spec.displayName");
	assert_refused(&conflict, 409, "FieldManagerConflict");
	OUTCOME forced = write_object(&world, "PATCH", SOLUTIONS "/app",
				      QUERY("fieldManager", "kubectl", "force", "true"), APPLY,
				      config);
	assert_put(&forced, 200);
	assert_at(pic_json_find(forced.draft.put, "spec", "displayName", NULL), "y");
	assert_number(put_at(&forced, "generation"), 2);
	/* a plain patch keeps what managers have applied */
	OUTCOME patched =
		write_object(&world, "PATCH", SOLUTIONS "/app", NULL, MERGE,
			     "{\"metadata\":{\"labels\":{\"a\":\"b\"}},\"applied\":null}");
	assert_put(&patched, 200);
	assert_non_null(pic_json_find(patched.draft.put, PIC_KUBE_APPLIED, "other", NULL));
}

static void status_moves_alone(void **state)
{
	WORLD world;

	(void)state;
	world_init(&world);
	world_add(&world, PIC_KIND_SOLUTION, LIVE_APP);
	OUTCOME patched = write_object(&world, "PATCH", SOLUTIONS "/app/status", NULL, MERGE,
				       "{\"status\":{\"x\":1},\"spec\":{\"components\":[]},"
				       "\"metadata\":{\"labels\":{\"env\":\"prod\"}}}");
	assert_put(&patched, 200);
	assert_tree(pic_json_get(patched.draft.put, "status"), "{\"conditions\":[],\"x\":1}");
	assert_number(put_at(&patched, "generation"), 3);
	assert_tree(put_at(&patched, "labels"), "{\"env\":\"dev\"}");
	assert_int_equal(
		pic_json_count(pic_json_find(patched.draft.put, "spec", "components", NULL)), 1);
	OUTCOME wrong = write_object(&world, "PATCH", SOLUTIONS "/app/status", NULL, MERGE,
				     "{\"status\":7}");
	assert_refused(&wrong, 400, "status must be an object");
	OUTCOME applied = write_object(&world, "PATCH", SOLUTIONS "/app/status",
				       QUERY("fieldManager", "m"), APPLY, APP);
	assert_refused(&applied, 405, "does not allow this method");
}

static void nulls_are_dropped_where_the_schema_speaks(void **state)
{
	WORLD world;

	(void)state;
	world_init(&world);
	OUTCOME made = write_object(
		&world, "POST", CATALOGS, NULL, JSON,
		"{\"apiVersion\":\"federation.symphony/v1\",\"kind\":\"Catalog\",\"metadata\":{"
		"\"name\":\"c\",\"labels\":null},\"status\":null,\"spec\":{\"type\":\"config\","
		"\"siteId\":\"hq\",\"name\":\"c\",\"parentName\":null,"
		"\"properties\":{\"empty\":null}}}");
	assert_put(&made, 201);
	assert_tree(
		pic_json_get(made.draft.put, "spec"),
		"{\"type\":\"config\",\"siteId\":\"hq\",\"name\":\"c\",\"properties\":{\"empty\":null}}");
	assert_null(put_at(&made, "labels"));
}

static void hints(void **state)
{
	static const char body[] =
		"{\"apiVersion\":\"solution.symphony/v1\",\"kind\":\"Instance\",\"metadata\":{"
		"\"name\":\"i\",\"finalizers\":[\"f\"]},\"spec\":{\"solution\":\"app\","
		"\"target\":{\"name\":\"t\"}}}";
	WORLD world;

	(void)state;
	world_init(&world);
	OUTCOME early = write_object(&world, "POST", INSTANCES, NULL, JSON, body);
	assert_put(&early, 201);
	assert_int_equal(early.answer.warning_count, 3);
	assert_string_equal(early.answer.warnings[0],
			    "there is no solution \"app\"; the instance waits for it");
	assert_non_null(strstr(early.answer.warnings[1], "no target \"t\""));
	assert_non_null(strstr(early.answer.warnings[2], "finalizers"));
	world_add(&world, PIC_KIND_SOLUTION, LIVE_APP);
	world_add(
		&world, PIC_KIND_TARGET,
		"{\"apiVersion\":\"fabric.symphony/v1\",\"kind\":\"Target\",\"metadata\":{\"name\":\"t\","
		"\"namespace\":\"default\"},\"spec\":{\"properties\":{\"os\":\"linux\"}}}");
	OUTCOME late = write_object(&world, "POST", INSTANCES, NULL, JSON, body);
	assert_int_equal(late.answer.warning_count, 1);
	OUTCOME nowhere = write_object(
		&world, "POST", INSTANCES, NULL, JSON,
		"{\"apiVersion\":\"solution.symphony/v1\",\"kind\":\"Instance\",\"metadata\":{"
		"\"name\":\"i\"},\"spec\":{\"solution\":\"app\",\"target\":{\"selector\":{"
		"\"os\":\"plan9\"}}}}");
	assert_int_equal(nowhere.answer.warning_count, 1);
	OUTCOME pattern = write_object(
		&world, "POST", INSTANCES, NULL, JSON,
		"{\"apiVersion\":\"solution.symphony/v1\",\"kind\":\"Instance\",\"metadata\":{"
		"\"name\":\"i\"},\"spec\":{\"solution\":\"app\",\"target\":{\"selector\":{"
		"\"os\":\"lin*\"}}}}");
	assert_int_equal(pattern.answer.warning_count, 0);
}

static int64_t noon(void)
{
	int64_t ms = 0;

	assert_int_equal(pic_time_parse("2026-11-24T12:00:00Z", &ms), 0);
	return ms;
}

static void times_that_are_past_are_told(void **state)
{
	static const char body[] =
		"{\"apiVersion\":\"workflow.symphony/v1\",\"kind\":\"Campaign\",\"metadata\":{"
		"\"name\":\"c\"},\"spec\":{\"firstStage\":\"one\",\"selfDriving\":true,\"stages\":{"
		"\"one\":{\"name\":\"one\",\"provider\":\"providers.stage.mock\","
		"\"schedule\":\"2026-11-24T11:59:00Z\",\"stageSelector\":\"two\"},"
		"\"two\":{\"name\":\"two\",\"provider\":\"providers.stage.mock\","
		"\"schedule\":\"2026-11-24T12:01:00Z\",\"stageSelector\":\"three\"},"
		"\"three\":{\"name\":\"three\",\"provider\":\"providers.stage.patch\",\"inputs\":{"
		"\"objectType\":\"solution\",\"objectName\":\"app\",\"patchSource\":\"inline\",\"patchAction\":\"add\","
		"\"patchContent\":{\"name\":\"x\",\"type\":\"ebpf\"}},\"window\":{\"opens\":\"now\","
		"\"closes\":\"2026-11-24T11:00:00Z\"}}}}}";
	WORLD world;

	(void)state;
	world_init(&world);
	OUTCOME timeless = write_object(&world, "POST", CAMPAIGNS, NULL, JSON, body);
	assert_put(&timeless, 201);
	assert_int_equal(timeless.answer.warning_count, 0);
	world.face.now = noon;
	OUTCOME made = write_object(&world, "POST", CAMPAIGNS, NULL, JSON, body);
	assert_put(&made, 201);
	assert_int_equal(made.answer.warning_count, 2);
	assert_string_equal(made.answer.warnings[0],
			    "spec.stages.one.schedule, 2026-11-24T11:59:00Z, is in the past; the "
			    "stage starts as soon as it is its turn");
	assert_non_null(strstr(made.answer.warnings[1], "spec.stages.three.window closed at"));
}

static void namespaces(void **state)
{
	WORLD world;

	(void)state;
	world_init(&world);
	OUTCOME made = write_object(
		&world, "POST", "/api/v1/namespaces", NULL, "",
		"{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{\"name\":\"blue\","
		"\"creationTimestamp\":null},\"spec\":{},\"status\":{}}");
	assert_put(&made, 201);
	assert_tree(made.draft.put,
		    "{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{\"name\":\"blue\","
		    "\"generation\":1,\"labels\":{\"kubernetes.io/metadata.name\":\"blue\"}},"
		    "\"spec\":{},\"status\":{\"phase\":\"Active\"}}");
	OUTCOME dots = write_object(
		&world, "POST", "/api/v1/namespaces", NULL, JSON,
		"{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{\"name\":\"a.b\"}}");
	assert_refused(&dots, 422, "metadata.name");
}

#define STAGED(more) \
	"{\"apiVersion\":\"federation.symphony/v1\",\"kind\":\"Catalog\",\"metadata\":{\"name\":" \
	"\"app-t\",\"namespace\":\"default\",\"uid\":\"cu\",\"resourceVersion\":\"8\",\"generation\":2," \
	"\"labels\":{\"staged_target\":\"t\"}" more ",\"ownerReferences\":[{\"apiVersion\":" \
	"\"solution.symphony/v1\",\"kind\":\"Instance\",\"name\":\"app\",\"uid\":\"iu\"}]},\"spec\":{" \
	"\"siteId\":\"hq\",\"name\":\"app-t\",\"type\":\"staged\",\"properties\":{\"components\":[]}}}"

#define INSTANCE(uid) \
	"{\"apiVersion\":\"solution.symphony/v1\",\"kind\":\"Instance\",\"metadata\":{\"name\":\"app\"," \
	"\"namespace\":\"default\",\"uid\":\"" uid "\"},\"spec\":{}}"

static void staged_catalogs_are_the_hubs(void **state)
{
	WORLD world;

	(void)state;
	world_init(&world);
	world_add(&world, PIC_KIND_CATALOG, STAGED(""));
	OUTCOME spec = write_object(&world, "PATCH", CATALOGS "/app-t", NULL, MERGE,
				    "{\"spec\":{\"properties\":{\"components\":[1]}}}");
	assert_refused(&spec, 422, "is written by the hub out of instance app");
	assert_refused(&spec, 422, "FieldValueForbidden");
	OUTCOME escape = write_object(&world, "PATCH", CATALOGS "/app-t", NULL, MERGE,
				      "{\"spec\":{\"type\":\"config\"}}");
	assert_refused(&escape, 422, "FieldValueForbidden");
	OUTCOME label = write_object(
		&world, "PATCH", CATALOGS "/app-t", NULL, MERGE,
		"{\"metadata\":{\"labels\":{\"a\":\"b\",\"staged_target\":null},"
		"\"ownerReferences\":null,\"annotations\":{\"piccolo/hidden\":\"yes\"}}}");
	assert_put(&label, 200);
	assert_tree(put_at(&label, "labels"), "{\"a\":\"b\",\"staged_target\":\"t\"}");
	assert_int_equal(pic_json_count(put_at(&label, "ownerReferences")), 1);
	assert_null(pic_json_get(put_at(&label, "annotations"), "piccolo/hidden"));
	OUTCOME create_one =
		write_object(&world, "POST", CATALOGS, NULL, JSON,
			     "{\"apiVersion\":\"federation.symphony/v1\",\"kind\":\"Catalog\","
			     "\"metadata\":{\"name\":\"c\"},\"spec\":{\"catalogType\":\"staged\","
			     "\"properties\":{}}}");
	assert_refused(&create_one, 422, "written by the hub out of an instance");
}

static enum pic_kube_removal remove_at(struct world *world, const char *path, const char *body,
				       struct outcome *out)
{
	struct pic_kube_delete_options options;
	struct pic_kube_request request = request_with("DELETE", path, NULL, JSON, body);

	*out = (struct outcome){ .answer = PIC_KUBE_ANSWER_INIT };
	if (!pic_kube_read_delete(&request, &options, &out->answer))
		return PIC_KUBE_REMOVAL_ANSWERED;
	return pic_kube_remove(&request, &world->face, &options, &out->draft.put, &out->answer);
}

static void deletes(void **state)
{
	OUTCOME done = { 0 }, dry = { 0 }, uid = { 0 }, version = { 0 }, gone = { 0 },
		space = { 0 };
	OUTCOME bad = { 0 };
	WORLD world;

	(void)state;
	world_init(&world);
	world_add(&world, PIC_KIND_SOLUTION, LIVE_APP);
	assert_int_equal(remove_at(&world, SOLUTIONS "/app",
				   "{\"propagationPolicy\":\"Background\"}", &done),
			 PIC_KUBE_REMOVAL_DELETE);
	PIC_JSON struct pic_json *status = answer_tree(&done.answer);
	assert_tree(
		status,
		"{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{},\"status\":\"Success\","
		"\"details\":{\"name\":\"app\",\"group\":\"solution.symphony\",\"kind\":\"solutions\","
		"\"uid\":\"u1\"}}");
	assert_int_equal(remove_at(&world, SOLUTIONS "/app", "{\"dryRun\":[\"All\"]}", &dry),
			 PIC_KUBE_REMOVAL_ANSWERED);
	assert_int_equal(dry.answer.status, 200);
	assert_int_equal(remove_at(&world, SOLUTIONS "/app", "{\"preconditions\":{\"uid\":\"u2\"}}",
				   &uid),
			 PIC_KUBE_REMOVAL_ANSWERED);
	assert_refused(&uid, 409, "Conflict");
	assert_int_equal(remove_at(&world, SOLUTIONS "/app",
				   "{\"preconditions\":{\"resourceVersion\":\"9\"}}", &version),
			 PIC_KUBE_REMOVAL_ANSWERED);
	assert_refused(&version, 409, "Conflict");
	assert_int_equal(remove_at(&world, SOLUTIONS "/gone", "", &gone),
			 PIC_KUBE_REMOVAL_ANSWERED);
	assert_refused(&gone, 404, "not found");
	assert_int_equal(remove_at(&world, "/api/v1/namespaces/default", "", &space),
			 PIC_KUBE_REMOVAL_ANSWERED);
	assert_refused(&space, 403, "may not be deleted");
	assert_int_equal(remove_at(&world, SOLUTIONS "/app", "{\"dryRun\":[\"Some\"]}", &bad),
			 PIC_KUBE_REMOVAL_ANSWERED);
	assert_refused(&bad, 400, "dryRun");
}

static void deletes_of_staged_catalogs(void **state)
{
	OUTCOME lives = { 0 }, orphan = { 0 }, again = { 0 }, terminating = { 0 };
	WORLD world;

	(void)state;
	world_init(&world);
	world_add(&world, PIC_KIND_CATALOG, STAGED(""));
	world_add(&world, PIC_KIND_INSTANCE, INSTANCE("iu"));
	assert_int_equal(remove_at(&world, CATALOGS "/app-t", "", &lives),
			 PIC_KUBE_REMOVAL_ANSWERED);
	assert_refused(&lives, 409, "belongs to instance app");
	world_free(&world);
	world_init(&world);
	world_add(&world, PIC_KIND_CATALOG, STAGED(""));
	world_add(&world, PIC_KIND_INSTANCE, INSTANCE("another")); /* of the same name */
	assert_int_equal(remove_at(&world, CATALOGS "/app-t", "", &orphan), PIC_KUBE_REMOVAL_PUT);
	assert_at(pic_json_find(orphan.draft.put, "metadata", "annotations", "piccolo/hidden",
				NULL),
		  "true");
	assert_int_equal(orphan.answer.status, 200);
	world_free(&world);
	world_init(&world);
	world_add(&world, PIC_KIND_CATALOG,
		  STAGED(",\"annotations\":{\"piccolo/hidden\":\"true\"}"));
	assert_int_equal(remove_at(&world, CATALOGS "/app-t", "", &again),
			 PIC_KUBE_REMOVAL_ANSWERED);
	assert_int_equal(again.answer.status, 200); /* hidden already */
	world_free(&world);
	world_init(&world);
	world_add(&world, PIC_KIND_CATALOG,
		  STAGED(",\"deletionTimestamp\":\"2026-11-24T13:00:00Z\""));
	world_add(&world, PIC_KIND_INSTANCE, INSTANCE("iu"));
	assert_int_equal(remove_at(&world, CATALOGS "/app-t", "", &terminating),
			 PIC_KUBE_REMOVAL_PUT);
}

static void deletes_of_what_is_gone_an_hour(void **state)
{
	OUTCOME fresh = { 0 }, stale = { 0 }, other = { 0 };
	WORLD world;

	(void)state;
	world_init(&world);
	world_add(&world, PIC_KIND_TOMBSTONE,
		  "{\"metadata\":{\"name\":\"fresh\",\"namespace\":\"default\"},"
		  "\"spec\":{\"gone\":\"2026-11-24T13:01:00Z\"}}");
	world_add(&world, PIC_KIND_TOMBSTONE,
		  "{\"metadata\":{\"name\":\"stale\",\"namespace\":\"default\"},"
		  "\"spec\":{\"gone\":\"2026-11-24T12:59:00Z\"}}");
	remove_at(&world, CATALOGS "/fresh", "", &fresh);
	assert_int_equal(fresh.answer.status, 200);
	remove_at(&world, CATALOGS "/stale", "", &stale);
	assert_refused(&stale, 404, "not found");
	remove_at(&world, SOLUTIONS "/fresh", "", &other);
	assert_refused(&other, 404, "not found");
}

static void hidden_catalogs_are_written_over_by_nobody(void **state)
{
	static const char plain[] =
		"{\"apiVersion\":\"federation.symphony/v1\",\"kind\":\"Catalog\",\"metadata\":{"
		"\"name\":\"app-t\"},\"spec\":{\"type\":\"config\",\"properties\":{}}}";
	WORLD world;

	(void)state;
	world_init(&world);
	world_add(&world, PIC_KIND_CATALOG,
		  STAGED(",\"annotations\":{\"piccolo/hidden\":\"true\"}"));
	OUTCOME created = write_object(&world, "POST", CATALOGS, NULL, JSON, plain);
	assert_refused(&created, 409, "already exists");
	OUTCOME applied = write_object(&world, "PATCH", CATALOGS "/app-t",
				       QUERY("fieldManager", "m"), APPLY, plain);
	assert_refused(&applied, 409, "already exists");
	OUTCOME patched = write_object(&world, "PATCH", CATALOGS "/app-t", NULL, MERGE, "{}");
	assert_refused(&patched, 404, "not found");
	OUTCOME replaced = write_object(&world, "PUT", CATALOGS "/app-t", NULL, JSON, plain);
	assert_refused(&replaced, 404, "not found");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(create),
		cmocka_unit_test(create_refused),
		cmocka_unit_test(create_yaml),
		cmocka_unit_test(generated_names),
		cmocka_unit_test(unknown_fields),
		cmocka_unit_test(types_and_required_values),
		cmocka_unit_test(annotations_are_bounded),
		cmocka_unit_test(dry_run_answers_and_stores_nothing),
		cmocka_unit_test(replace),
		cmocka_unit_test(merge_patches),
		cmocka_unit_test(json_patches),
		cmocka_unit_test(applies),
		cmocka_unit_test(status_moves_alone),
		cmocka_unit_test(nulls_are_dropped_where_the_schema_speaks),
		cmocka_unit_test(hints),
		cmocka_unit_test(times_that_are_past_are_told),
		cmocka_unit_test(namespaces),
		cmocka_unit_test(staged_catalogs_are_the_hubs),
		cmocka_unit_test(deletes),
		cmocka_unit_test(deletes_of_staged_catalogs),
		cmocka_unit_test(deletes_of_what_is_gone_an_hour),
		cmocka_unit_test(hidden_catalogs_are_written_over_by_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
