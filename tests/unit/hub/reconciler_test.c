/*
 * The engine with a real store, real artifacts and a real HTTP server beside it.
 */
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "hub/artifacts/artifacts.h"
#include "hub/engine/engine.h"
#include "hub/engine/events.h"
#include "hub/engine/reconciler.h"
#include "hub/engine/resolver.h"
#include "hub/store_fixture.h"
#include "net/server.h"
#include "symphony/sample.h"

#define SHA "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define MODULE(name, more) \
	"{'name':'" name "','type':'wasm','properties':{'wasm.sha256':'" SHA "'" more "}}"
#define WAIT_MS 10000

struct fixture {
	struct store_fixture *base;
	struct pic_hub hub;
	struct pic_server *server;
	char files[80], public_url[64], address[64];
	unsigned requests;
	bool timed_out;
};

static void serve(void *data, struct pic_exchange *exchange)
{
	struct fixture *fixture = data;
	const char *path = pic_exchange_path(exchange);

	fixture->requests++;
	if (strcmp(path, "/module.wasm") == 0) {
		pic_reply(exchange, 200, "application/wasm", "bytes", 5);
	} else if (strcmp(path, "/moved") == 0) {
		pic_reply_header(exchange, "Location", "/module.wasm");
		pic_reply(exchange, 302, "text/plain", "", 0);
	} else if (strcmp(path, "/trap") == 0) {
		pic_reply_header(exchange, "Location", "http://169.254.169.254/secrets");
		pic_reply(exchange, 302, "text/plain", "", 0);
	} else if (strcmp(path, "/circle") == 0) {
		pic_reply_header(exchange, "Location", "/circle");
		pic_reply(exchange, 302, "text/plain", "", 0);
	} else {
		pic_reply(exchange, 404, "text/plain", "none", 4);
	}
}

static void open_hub(struct fixture *fixture)
{
	struct pic_error err = PIC_ERROR_INIT;

	fixture->hub.loop = fixture->base->loop;
	fixture->hub.store = fixture->base->store;
	fixture->hub.public_url = fixture->public_url;
	if (pic_artifacts_open(&fixture->hub.artifacts, fixture->hub.store, fixture->files, 1 << 20,
			       &err) < 0 ||
	    pic_reconciler_open(&fixture->hub.reconciler, &fixture->hub, &err) < 0)
		fail_msg("%s", err.text);
}

static void restart_hub(struct fixture *fixture)
{
	pic_reconciler_stop(fixture->hub.reconciler);
	pic_artifacts_close(fixture->hub.artifacts);
	store_fixture_reopen(fixture->base);
	pic_reconciler_close(fixture->hub.reconciler);
	open_hub(fixture);
}

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	struct pic_error err = PIC_ERROR_INIT;
	const struct pic_server_settings settings = {
		.address = "127.0.0.1:0",
		.body_max = 1024,
		.connections_max = 16,
		.idle_timeout_s = 10,
		.handle = serve,
		.data = fixture,
	};
	void *base = NULL;

	store_fixture_setup(&base);
	fixture->base = base;
	snprintf(fixture->files, sizeof(fixture->files), "%s/artifacts", fixture->base->path);
	strcpy(fixture->public_url, "https://hub.example:8443");
	if (pic_server_new(&fixture->server, fixture->base->loop, &settings, &err) < 0)
		fail_msg("%s", err.text);
	snprintf(fixture->address, sizeof(fixture->address), "http://%s",
		 pic_server_address(fixture->server));
	open_hub(fixture);
	*state = fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;
	void *base = fixture->base;

	pic_reconciler_stop(fixture->hub.reconciler);
	pic_server_free(fixture->server);
	pic_artifacts_close(fixture->hub.artifacts);
	pic_store_close(fixture->base->store);
	fixture->base->store = NULL;
	pic_reconciler_close(fixture->hub.reconciler);
	store_fixture_teardown(&base);
	free(fixture);
	return 0;
}

static void stop(void *data, int status, const struct pic_error *err)
{
	(void)status;
	(void)err;
	pic_loop_stop(data);
}

/* Looks at everything that waits and lets the disk have it. */
static void settle(struct fixture *fixture)
{
	struct pic_error err = PIC_ERROR_INIT;

	pic_reconciler_run(fixture->hub.reconciler);
	struct pic_change *change = pic_change_new(fixture->hub.store, &store_fixture_actor);

	pic_change_commit(change, stop, fixture->base->loop);
	assert_int_equal(pic_loop_run(fixture->base->loop, &err), 0);
}

static void put(struct fixture *fixture, enum pic_kind kind, const char *text)
{
	assert_int_equal(store_fixture_put(fixture->base, kind, sample_json(text)), 0);
}

static void delete (struct fixture *fixture, enum pic_kind kind, const char *name)
{
	struct pic_change *change = pic_change_new(fixture->hub.store, &store_fixture_actor);

	pic_change_delete(change, kind, "default", name);
	pic_change_commit(change, NULL, NULL);
}

static struct pic_object *get(struct fixture *fixture, enum pic_kind kind, const char *name)
{
	return pic_store_get(fixture->hub.store, kind, kind == PIC_KIND_DEVICE ? "" : "default",
			     name);
}

static const char *status_of(struct fixture *fixture, enum pic_kind kind, const char *name)
{
	return pic_json_text_or(pic_json_find(pic_object_status(get(fixture, kind, name)),
					      "properties", "status", NULL),
				"");
}

static void put_device(struct fixture *fixture, int revision, int removed_through, bool running)
{
	char text[2048];

	snprintf(
		text, sizeof(text),
		"{'metadata':{'name':'edge'},'spec':{'epoch':'0123456789abcdef0123456789abcdef'},"
		"'status':{'revision':%d,'removedThrough':%d,'online':true,'report':{'protocol':1,"
		"'device':'edge','session':'0123456789abcdef0123456789abcdef','sequence':%d,"
		"'epoch':'0123456789abcdef0123456789abcdef','revision':%d,'digest':'" SHA
		"','removed-through':%d,'agent':{'version':'1','boot':'b','uptime-seconds':1,'clock-set':true},"
		"'message':'','components':[%s]}}}",
		revision, removed_through, revision + 1, revision, removed_through,
		running ? "{'instance':'app','component':'m','type':'wasm','phase':'Running',"
			  "'reason':'Started','restarts':0,'evidence':{'pid':7}}"
			: "");
	put(fixture, PIC_KIND_DEVICE, text);
}

static void put_story(struct fixture *fixture, const char *components)
{
	char text[2048];

	put(fixture, PIC_KIND_TARGET, "{'metadata':{'name':'edge','generation':1},'spec':{}}");
	snprintf(text, sizeof(text),
		 "{'metadata':{'name':'s','generation':1},'spec':{'components':[%s]}}", components);
	put(fixture, PIC_KIND_SOLUTION, text);
	put(fixture, PIC_KIND_INSTANCE,
	    "{'metadata':{'name':'app','generation':1},"
	    "'spec':{'solution':'s','target':{'name':'edge'}}}");
}

static bool has_event(struct fixture *fixture, const char *reason, const char *part)
{
	for (struct pic_object *event =
		     pic_store_next(fixture->hub.store, PIC_KIND_EVENT, NULL, NULL);
	     event; event = pic_store_next(fixture->hub.store, PIC_KIND_EVENT, NULL, event))
		if (strcmp(pic_json_get_text(event->json, "reason"), reason) == 0 &&
		    strstr(pic_json_get_text(event->json, "message"), part))
			return true;
	return false;
}

/* Nothing is left to do: a look at everything writes nothing. */
static void assert_settled(struct fixture *fixture)
{
	struct pic_reconciler_facts facts;

	settle(fixture);
	restart_hub(fixture);
	int64_t revision = pic_store_revision(fixture->hub.store);

	settle(fixture);
	pic_reconciler_facts(fixture->hub.reconciler, &facts);
	assert_int_equal(pic_store_revision(fixture->hub.store), revision);
	assert_int_equal(facts.writes, 0);
	assert_int_equal(facts.failures, 0);
	assert_true(facts.reconciles > 0);
}

static void the_story_from_apply_to_nothing(void **state)
{
	struct fixture *fixture = *state;

	put_device(fixture, 0, 0, false);
	put_story(fixture, MODULE("m", ""));
	settle(fixture);
	assert_non_null(get(fixture, PIC_KIND_CATALOG, "app-edge"));
	assert_string_equal(status_of(fixture, PIC_KIND_INSTANCE, "app"), "Reconciling");
	assert_string_equal(status_of(fixture, PIC_KIND_TARGET, "edge"), "Succeeded");
	assert_json_equal(pic_json_get(pic_object_status(get(fixture, PIC_KIND_DEVICE, "edge")),
				       "revision"),
			  "1");
	assert_true(has_event(fixture, "Staged", "m is staged for edge in revision 1"));
	assert_settled(fixture);

	put_device(fixture, 1, 0, true);
	settle(fixture);
	assert_string_equal(status_of(fixture, PIC_KIND_INSTANCE, "app"), "Succeeded");
	assert_true(has_event(fixture, "Running", "m on edge"));
	assert_settled(fixture);

	delete (fixture, PIC_KIND_INSTANCE, "app");
	settle(fixture);
	assert_true(get(fixture, PIC_KIND_CATALOG, "app-edge")->terminating);
	assert_settled(fixture);

	put_device(fixture, 2, 2, false);
	settle(fixture);
	assert_null(get(fixture, PIC_KIND_CATALOG, "app-edge"));
	assert_non_null(get(fixture, PIC_KIND_TOMBSTONE, "app-edge"));
	assert_true(has_event(fixture, "Removed", "edge has let go of m"));
	assert_settled(fixture);
}

static void a_patch_is_in_the_document_in_the_same_turn(void **state)
{
	struct fixture *fixture = *state;

	put_device(fixture, 0, 0, false);
	put_story(fixture, MODULE("m", ""));
	settle(fixture);
	struct pic_change *change = pic_change_new(fixture->hub.store, &store_fixture_actor);
	struct pic_error err = PIC_ERROR_INIT;

	pic_change_put(change, PIC_KIND_SOLUTION,
		       sample_json("{'metadata':{'name':'s','namespace':'default','generation':2},"
				   "'spec':{'components':[" MODULE("m", ",'wasm.args':'x'") "]}}"),
		       &err);
	pic_change_commit(change, NULL, NULL);
	pic_reconciler_run(fixture->hub.reconciler); /* before anything is on the disk */
	assert_json_equal(pic_json_find(pic_object_spec(get(fixture, PIC_KIND_CATALOG, "app-edge")),
					"properties", "revisions", NULL),
			  "{'m':2}");
	assert_json_equal(pic_json_get(pic_object_status(get(fixture, PIC_KIND_DEVICE, "edge")),
				       "revision"),
			  "2");
}

static void what_happened_while_nobody_looked_is_found(void **state)
{
	struct fixture *fixture = *state;

	put_device(fixture, 0, 0, false);
	put_story(fixture, MODULE("m", ""));
	settle(fixture);
	pic_reconciler_stop(fixture->hub.reconciler);
	delete (fixture, PIC_KIND_INSTANCE, "app");
	restart_hub(fixture);
	settle(fixture);
	assert_true(get(fixture, PIC_KIND_CATALOG, "app-edge")->terminating);
}

static void a_new_device_learns_the_revision_of_its_catalogs(void **state)
{
	struct fixture *fixture = *state;

	put_story(fixture, MODULE("m", ""));
	settle(fixture);
	assert_string_equal(pic_json_text(pic_json_find(
				    pic_object_status(get(fixture, PIC_KIND_TARGET, "edge")),
				    "device", "state", NULL)),
			    "NotEnrolled");
	put(fixture, PIC_KIND_SOLUTION,
	    "{'metadata':{'name':'s','generation':2},'spec':{'components':[" MODULE(
		    "m", ",'x':'y'") "]}}");
	settle(fixture);
	put(fixture, PIC_KIND_DEVICE,
	    "{'metadata':{'name':'edge'},'spec':{'epoch':'e'},'status':{'revision':0}}");
	settle(fixture);
	assert_json_equal(pic_json_get(pic_object_status(get(fixture, PIC_KIND_DEVICE, "edge")),
				       "revision"),
			  "2");
	assert_settled(fixture);
}

static void a_target_runs_its_own_components(void **state)
{
	struct fixture *fixture = *state;

	put_device(fixture, 0, 0, false);
	put(fixture, PIC_KIND_TARGET,
	    "{'metadata':{'name':'edge','generation':1},'spec':{'components':[" MODULE("own",
										       "") "]}}");
	settle(fixture);
	const struct pic_object *catalog =
		get(fixture, PIC_KIND_CATALOG, "target-runtime-edge-edge");
	assert_non_null(catalog);
	assert_string_equal(status_of(fixture, PIC_KIND_TARGET, "edge"), "Reconciling");
	assert_string_equal(pic_json_get_text(pic_json_at(pic_json_find(catalog->json, "metadata",
									"ownerReferences", NULL),
							  0),
					      "kind"),
			    "Target");
	assert_settled(fixture);
	delete (fixture, PIC_KIND_TARGET, "edge");
	settle(fixture);
	assert_true(get(fixture, PIC_KIND_CATALOG, "target-runtime-edge-edge")->terminating);
	assert_settled(fixture);
}

static void a_catalog_that_a_user_deletes_comes_back(void **state)
{
	struct fixture *fixture = *state;

	put_device(fixture, 0, 0, false);
	put_story(fixture, MODULE("m", ""));
	settle(fixture);
	delete (fixture, PIC_KIND_CATALOG, "app-edge");
	settle(fixture);
	assert_json_equal(pic_json_find(pic_object_spec(get(fixture, PIC_KIND_CATALOG, "app-edge")),
					"properties", "revisions", NULL),
			  "{'m':2}");
}

static void a_name_that_becomes_free_is_taken(void **state)
{
	struct fixture *fixture = *state;

	put(fixture, PIC_KIND_CATALOG, "{'metadata':{'name':'app-edge'},'spec':{'type':'config'}}");
	put_story(fixture, MODULE("m", ""));
	settle(fixture);
	assert_string_equal(status_of(fixture, PIC_KIND_INSTANCE, "app"), "Failed");
	delete (fixture, PIC_KIND_CATALOG, "app-edge");
	settle(fixture);
	assert_string_equal(
		pic_json_get_text(pic_object_spec(get(fixture, PIC_KIND_CATALOG, "app-edge")),
				  "type"),
		"staged");
}

static void give_up(void *data)
{
	struct fixture *fixture = data;

	fixture->timed_out = true;
	pic_loop_stop(fixture->base->loop);
}

static void limit_files(rlim_t bytes)
{
	struct rlimit limit;

	getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void stop_when_staged(void *data, enum pic_kind kind, struct pic_object *before,
			     struct pic_object *after, int64_t revision)
{
	struct fixture *fixture = data;

	(void)before;
	(void)revision;
	if (kind == PIC_KIND_CATALOG && after)
		pic_loop_stop(fixture->base->loop);
}

/* The disk takes nothing: nothing is kept in memory either, and it is not asked all the time. */
static void what_the_disk_refuses_is_tried_again(void **state)
{
	struct fixture *fixture = *state;
	struct pic_reconciler_facts facts, later;
	struct pic_timer *timer = NULL;
	struct pic_error err = PIC_ERROR_INIT;

	put_story(fixture, MODULE("m", ""));
	signal(SIGXFSZ, SIG_IGN);
	limit_files(1);
	pic_reconciler_run(fixture->hub.reconciler);
	pic_store_settle(fixture->hub.store);
	limit_files(RLIM_INFINITY);
	assert_null(get(fixture, PIC_KIND_CATALOG, "app-edge"));
	pic_reconciler_facts(fixture->hub.reconciler, &facts);
	assert_true(facts.failures > 0);
	pic_reconciler_run(fixture->hub.reconciler);
	pic_reconciler_facts(fixture->hub.reconciler, &later);
	assert_int_equal(later.reconciles, facts.reconciles);

	pic_store_listen(fixture->hub.store, PIC_STORE_DURABLE, stop_when_staged, fixture);
	pic_loop_timer(fixture->base->loop, give_up, fixture, &timer, &err);
	pic_timer_set(timer, WAIT_MS);
	while (!get(fixture, PIC_KIND_CATALOG, "app-edge") && !fixture->timed_out)
		pic_loop_run(fixture->base->loop, &err);
	pic_timer_free(timer);
	pic_store_ignore(fixture->hub.store, stop_when_staged, fixture);
	assert_false(fixture->timed_out);
	assert_settled(fixture);
}

/* Resolving. */

static const struct pic_json *resolved(struct fixture *fixture)
{
	return pic_json_at(pic_json_get(pic_object_status(get(fixture, PIC_KIND_SOLUTION, "s")),
					"resolved"),
			   0);
}

static void stop_when_resolved(void *data, enum pic_kind kind, struct pic_object *before,
			       struct pic_object *after, int64_t revision)
{
	struct fixture *fixture = data;

	(void)before;
	(void)revision;
	if (kind == PIC_KIND_SOLUTION && pic_json_get(pic_object_status(after), "resolved"))
		pic_loop_stop(fixture->base->loop);
}

/* Puts the story with this URL and waits until something is known about it. */
static const struct pic_json *resolve(struct fixture *fixture, const char *url)
{
	struct pic_error err = PIC_ERROR_INIT;
	struct pic_timer *timer = NULL;
	char component[512];

	snprintf(component, sizeof(component),
		 "{'name':'m','type':'wasm','properties':{'wasm.url':'%s'}}", url);
	put_device(fixture, 0, 0, false);
	put_story(fixture, component);
	assert_int_equal(pic_store_listen(fixture->hub.store, PIC_STORE_DURABLE, stop_when_resolved,
					  fixture),
			 0);
	pic_loop_timer(fixture->base->loop, give_up, fixture, &timer, &err);
	pic_timer_set(timer, WAIT_MS);
	while (!resolved(fixture) && !fixture->timed_out)
		pic_loop_run(fixture->base->loop, &err);
	pic_timer_free(timer);
	pic_store_ignore(fixture->hub.store, stop_when_resolved, fixture);
	if (fixture->timed_out)
		fail_msg("%s: nothing was heard for %d ms", url, WAIT_MS);
	settle(fixture);
	return resolved(fixture);
}

static void assert_not_resolved(struct fixture *fixture, const char *url, const char *sentence)
{
	const struct pic_json *entry = resolve(fixture, url);
	const char *error = pic_json_get_text(entry, "error");

	assert_non_null(error);
	assert_contains(error, sentence);
	assert_null(get(fixture, PIC_KIND_CATALOG, "app-edge"));
	assert_string_equal(status_of(fixture, PIC_KIND_INSTANCE, "app"), "Failed");
	assert_true(has_event(fixture, "UrlNotResolved", sentence));
}

static void a_url_is_fetched_once_and_known_by_digest(void **state)
{
	struct fixture *fixture = *state;
	char url[128], text[PIC_SHA256_TEXT];
	struct pic_sha256 digest;

	snprintf(url, sizeof(url), "%s/module.wasm", fixture->address);
	const struct pic_json *entry = resolve(fixture, url);

	pic_sha256_of("bytes", 5, &digest);
	pic_sha256_text(&digest, text);
	assert_string_equal(pic_json_get_text(entry, "sha256"), text);
	assert_json_equal(pic_json_get(entry, "size"), "5");
	assert_true(pic_artifacts_has(fixture->hub.artifacts, &digest, NULL));
	const struct pic_json *component = pic_json_at(
		pic_json_find(pic_object_spec(get(fixture, PIC_KIND_CATALOG, "app-edge")),
			      "properties", "components", NULL),
		0);

	assert_string_equal(
		pic_json_text(pic_json_find(component, "properties", "wasm.sha256", NULL)), text);
	assert_int_equal(fixture->requests, 1);
	assert_settled(fixture);
	assert_int_equal(fixture->requests, 1);
	/* another instance of the same solution asks for nothing */
	put(fixture, PIC_KIND_INSTANCE,
	    "{'metadata':{'name':'two','generation':1},"
	    "'spec':{'solution':'s','target':{'name':'edge'}}}");
	settle(fixture);
	assert_int_equal(fixture->requests, 1);
}

static void redirects_are_followed(void **state)
{
	struct fixture *fixture = *state;
	char url[128];

	snprintf(url, sizeof(url), "%s/moved", fixture->address);
	assert_non_null(pic_json_get_text(resolve(fixture, url), "sha256"));
	assert_int_equal(fixture->requests, 2);
}

static void a_missing_file_stalls(void **state)
{
	struct fixture *fixture = *state;
	char url[128];

	snprintf(url, sizeof(url), "%s/none", fixture->address);
	assert_not_resolved(fixture, url, "the server answers 404");
}

static void circles_end(void **state)
{
	struct fixture *fixture = *state;
	char url[128];

	snprintf(url, sizeof(url), "%s/circle", fixture->address);
	assert_not_resolved(fixture, url, "redirected too often");
	assert_int_equal(fixture->requests, 6);
}

static void link_local_is_not_fetched_from(void **state)
{
	struct fixture *fixture = *state;
	char url[128];

	snprintf(url, sizeof(url), "%s/trap", fixture->address);
	assert_not_resolved(fixture, url, "link-local");
}

static void an_unreachable_server_stalls(void **state)
{
	assert_not_resolved(*state, "http://127.0.0.1:1/m.wasm", "cannot be fetched");
}

static void own_artifacts_need_no_fetching(void **state)
{
	struct fixture *fixture = *state;
	struct pic_sha256 digest;
	struct pic_error err = PIC_ERROR_INIT;

	assert_not_resolved(fixture, "https://hub.example:8443/artifacts/tiny.wasm",
			    "no artifact called tiny.wasm");
	assert_int_equal(
		pic_artifacts_put(fixture->hub.artifacts, "bytes", 5, "test", &digest, &err), 0);
	assert_int_equal(pic_artifacts_publish(fixture->hub.artifacts, &store_fixture_actor,
					       "tiny.wasm", &digest, NULL, NULL, &err),
			 0);
	settle(fixture); /* at once, without waiting for the next try */
	assert_non_null(pic_json_get_text(resolved(fixture), "sha256"));
	assert_non_null(get(fixture, PIC_KIND_CATALOG, "app-edge"));
	assert_int_equal(fixture->requests, 0);
}

/* URLs. */

static void urls_are_judged(void **state)
{
	static const struct {
		const char *url;
		bool denied;
	} cases[] = {
		{ "http://example.org/x", false },
		{ "https://10.0.0.1:8443/x", false },
		{ "http://169.254.169.254/x", true },
		{ "http://user@169.254.1.1:80/x", true },
		{ "http://2852039166/x", true },
		{ "http://0xa9fea9fe/x", true },
		{ "http://[fe80::1]/x", true },
		{ "http://[fe80::1%25eth0]/x", true },
		{ "http://[::ffff:169.254.1.1]/x", true },
		{ "http://[2001:db8::1]:80/x", false },
		{ "ftp://example.org/x", true },
		{ "http:///x", true },
	};
	const char *name = NULL;

	for (size_t i = 0; i < PIC_COUNT(cases); i++)
		if (pic_resolver_denies(cases[i].url) != cases[i].denied)
			fail_msg("%s", cases[i].url);
	assert_true(pic_resolver_own_url("https://h:1/artifacts/abc", "https://h:1", &name));
	assert_string_equal(name, "abc");
	assert_false(pic_resolver_own_url("https://h:11/artifacts/abc", "https://h:1", &name));
	assert_false(pic_resolver_own_url("https://h:1/artifacts/", "https://h:1", &name));
	assert_false(pic_resolver_own_url("https://h:1/artifacts/a/b", "https://h:1", &name));
	assert_false(pic_resolver_own_url("https://h:1/artifacts/a", NULL, &name));
}

static void redirects_are_read(void **state)
{
	static const struct {
		const char *url, *location, *wanted;
	} cases[] = {
		{ "http://h:1/a/b?c", "http://i/d", "http://i/d" },
		{ "http://h:1/a/b?c", "/d", "http://h:1/d" },
		{ "https://h", "/d", "https://h/d" },
		{ "https://h/a", "//i/d", "https://i/d" },
		{ "https://h/a", "d", NULL },
		{ "https://h/a", "", NULL },
		{ "https://h/a", NULL, NULL },
	};

	for (size_t i = 0; i < PIC_COUNT(cases); i++) {
		PIC_FREE char *made = NULL;

		assert_int_equal(pic_resolver_redirect(cases[i].url, cases[i].location, &made) == 0,
				 cases[i].wanted != NULL);
		if (cases[i].wanted)
			assert_string_equal(made, cases[i].wanted);
	}
}

/* Events. */

static void add_event(struct fixture *fixture, const char *message, int64_t now_ms)
{
	struct pic_change *change = pic_change_new(fixture->hub.store, &store_fixture_actor);
	const struct pic_event_subject subject = { PIC_KIND_INSTANCE, "default", "app", "u" };
	struct pic_engine_note note = { .reason = "Tested" };
	struct pic_error err = PIC_ERROR_INIT;

	snprintf(note.message, sizeof(note.message), "%s", message);
	assert_int_equal(pic_events_add(fixture->hub.store, change, &subject, &note, now_ms, &err),
			 0);
	pic_change_commit(change, NULL, NULL);
}

static void events_are_counted_bounded_and_forgotten(void **state)
{
	struct fixture *fixture = *state;
	int64_t now_ms = pic_clock_wall_ms(), next_ms = 0;
	size_t count = 0;
	char text[32];

	add_event(fixture, "same", now_ms);
	add_event(fixture, "same", now_ms + 5000);
	assert_int_equal(pic_store_count(fixture->hub.store, PIC_KIND_EVENT), 1);
	const struct pic_object *event =
		pic_store_next(fixture->hub.store, PIC_KIND_EVENT, NULL, NULL);

	assert_json_equal(pic_json_get(event->json, "count"), "2");
	assert_string_not_equal(pic_json_get_text(event->json, "firstTimestamp"),
				pic_json_get_text(event->json, "lastTimestamp"));
	for (int i = 0; i < PIC_EVENTS_MAX + 20; i++) {
		snprintf(text, sizeof(text), "number %d", i);
		add_event(fixture, text, now_ms + 10000 + i * 1000);
	}
	assert_int_equal(pic_store_count(fixture->hub.store, PIC_KIND_EVENT), PIC_EVENTS_MAX);
	assert_false(has_event(fixture, "Tested", "same"));

	struct pic_change *change = pic_change_new(fixture->hub.store, &store_fixture_actor);

	pic_events_expire(fixture->hub.store, change, now_ms + PIC_EVENTS_AGE_MS + 100000, &count,
			  &next_ms);
	pic_change_commit(change, NULL, NULL);
	assert_true(count > 0 && count < PIC_EVENTS_MAX);
	assert_true(next_ms > now_ms + PIC_EVENTS_AGE_MS + 99000);
	assert_int_equal(pic_store_count(fixture->hub.store, PIC_KIND_EVENT),
			 PIC_EVENTS_MAX - count);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_story_from_apply_to_nothing),
		TEST(a_patch_is_in_the_document_in_the_same_turn),
		TEST(what_happened_while_nobody_looked_is_found),
		TEST(a_new_device_learns_the_revision_of_its_catalogs),
		TEST(a_target_runs_its_own_components),
		TEST(a_catalog_that_a_user_deletes_comes_back),
		TEST(a_name_that_becomes_free_is_taken),
		TEST(what_the_disk_refuses_is_tried_again),
		TEST(a_url_is_fetched_once_and_known_by_digest),
		TEST(redirects_are_followed),
		TEST(a_missing_file_stalls),
		TEST(circles_end),
		TEST(link_local_is_not_fetched_from),
		TEST(an_unreachable_server_stalls),
		TEST(own_artifacts_need_no_fetching),
		cmocka_unit_test(urls_are_judged),
		cmocka_unit_test(redirects_are_read),
		TEST(events_are_counted_bounded_and_forgotten),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
