/* The kube API: its life, its routes, and the way from an exchange to a request. */
#include "hub/kube_api/kube.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "hub/kube_api/body.h"
#include "hub/kube_api/kube_room.h"
#include "hub/kube_api/list.h"
#include "hub/kube_api/openapi_v2.h"
#include "hub/kube_api/reviews.h"

void pic_kube_send(struct pic_exchange *exchange, const struct pic_kube_answer *answer)
{
	for (size_t i = 0; i < PIC_KUBE_WARNINGS_MAX; i++) {
		PIC_BUF struct pic_buf header = PIC_BUF_INIT(16 * PIC_KUBE_WARNING_TEXT);
		if (!answer->warnings[i])
			continue;
		pic_kube_warning_header(answer->warnings[i], &header);
		pic_reply_header(exchange, "Warning", pic_buf_text(&header));
	}
	pic_reply(exchange, answer->status, answer->content_type, answer->body.data,
		  answer->body.size);
}

static const char *refusal_text(int status, const char *why)
{
	switch (status) {
	case 401:
		return "Unauthorized: the credentials are another hub's or have ended; use a kubeconfig "
		       "with this hub's CA and admin token (--dev: the one in its state folder)";
	case 404:
		return "the server could not find the requested resource";
	case 405:
		return "the server does not allow this method on the requested resource";
	default:
		return why && *why ? why : "the request was refused";
	}
}

void pic_kube_refuse(struct pic_exchange *exchange, int status, const char *why)
{
	PIC_KUBE_ANSWER struct pic_kube_answer answer = PIC_KUBE_ANSWER_INIT;

	pic_kube_fail(&answer, status, NULL, (struct pic_kube_subject){ 0 }, "%s",
		      refusal_text(status, why));
	pic_kube_send(exchange, &answer);
}

static void call_review(struct pic_kube_call *call, struct pic_kube_answer *answer)
{
	const struct pic_kube_path *path = &call->request.path;
	const struct pic_kube_review *review =
		pic_kube_review(path->group, path->version, path->plural);
	PIC_JSON struct pic_json *body = NULL;
	struct pic_json *reviewed = NULL;
	struct pic_error err = PIC_ERROR_INIT;

	if (!review)
		pic_kube_fail_not_found(answer, (struct pic_kube_subject){ 0 });
	else if (strcmp(call->request.method, "POST") != 0)
		pic_kube_fail(answer, 405, NULL, (struct pic_kube_subject){ 0 }, "%s",
			      refusal_text(405, NULL));
	else if (pic_kube_read_object(&call->request, false, &body, answer)) {
		if (pic_kube_review_answer(review, path->version, body, call->request.caller,
					   &reviewed, &err) < 0)
			pic_kube_fail_bad(answer, "%s", err.text);
		else
			pic_kube_answer_json(answer, 201, reviewed);
	}
}

/* The kube verb of a request, or NULL when it is none on this path. */
static const char *verb_of(const struct pic_kube_request *request)
{
	const struct pic_kube_path *path = &request->path;
	bool one = *path->name != '\0';
	bool everywhere = path->facts->namespaced && !*path->space;

	if (strcmp(request->method, "GET") == 0)
		return one ? "get" : pic_kube_query_true(request, "watch") ? "watch" : "list";
	if (strcmp(request->method, "POST") == 0)
		return one || everywhere ? NULL : "create";
	if (strcmp(request->method, "DELETE") == 0 && !path->status)
		return one ? "delete" : everywhere ? NULL : "deletecollection";
	if (strcmp(request->method, "PUT") == 0)
		return one ? "update" : NULL;
	return one && strcmp(request->method, "PATCH") == 0 ? "patch" : NULL;
}

static bool knows(const char *const *verbs, const char *verb)
{
	for (; verb && *verbs; verbs++)
		if (strcmp(*verbs, verb) == 0)
			return true;
	return false;
}

/* A kind that only the hub itself writes says who does. */
static void refuse_verb(const struct pic_kube_request *request, struct pic_kube_answer *answer)
{
	const char *closed = request->path.facts->closed;

	pic_kube_fail(answer, closed ? 403 : 405, NULL, pic_kube_subject(request), "%s",
		      closed ? closed : refusal_text(405, NULL));
}

/* Answered here, or the exchange is taken over (a write, a watch) and the answer stays empty. */
static void call_resource(struct pic_kube_call *call, struct pic_kube_answer *answer)
{
	const struct pic_kube_request *request = &call->request;
	const struct pic_kube_world *world = &call->kube->world;
	const char *verb = verb_of(request);

	if (!knows(request->path.facts->verbs, verb) ||
	    (request->path.status && request->path.facts->own_status && strcmp(verb, "get") != 0))
		refuse_verb(request, answer);
	else if (strcmp(verb, "get") == 0)
		pic_kube_get(request, world, answer);
	else if (strcmp(verb, "list") == 0)
		pic_kube_list(request, world, pic_store_revision(call->kube->hub->store), answer);
	else if (strcmp(verb, "watch") == 0 && call->kube->stopped)
		pic_kube_fail(answer, 503, NULL, (struct pic_kube_subject){ 0 },
			      "the hub is stopping");
	else if (strcmp(verb, "watch") == 0)
		pic_kube_watch_start(call->kube->watchers, request, world, call->exchange, answer);
	else if (strcmp(verb, "delete") == 0)
		pic_kube_call_delete(call);
	else if (strcmp(verb, "deletecollection") == 0)
		pic_kube_call_delete_collection(call);
	else
		pic_kube_call_write(call);
}

static const char *query_of(const void *from, const char *name)
{
	return pic_exchange_query(from, name);
}

static void handle_resource(struct pic_hub *hub, struct pic_exchange *exchange,
			    const struct pic_route_match *match)
{
	PIC_KUBE_ANSWER struct pic_kube_answer answer = PIC_KUBE_ANSWER_INIT;
	const char *method = pic_exchange_method(exchange);
	struct pic_kube_call call = {
		.kube = hub->kube,
		.exchange = exchange,
		.match = match,
		.request = {
			.method = strcmp(method, "HEAD") == 0 ? "GET" : method,
			.content_type = pic_kube_header(exchange, "Content-Type"),
			.accept = pic_kube_header(exchange, "Accept"),
			.body = pic_exchange_body(exchange),
			.caller = match->caller.name,
			.now_ms = pic_clock_wall_ms(),
			.get = query_of,
			.from = exchange,
		},
	};

	if (pic_kube_path_parse(pic_exchange_path(exchange), &call.request.path) < 0)
		pic_kube_fail_not_found(&answer, (struct pic_kube_subject){ 0 });
	else if (!call.request.path.facts)
		call_review(&call, &answer);
	else
		call_resource(&call, &answer);
	if (answer.status)
		pic_kube_send(exchange, &answer);
}

static struct pic_object *find_in_store(void *data, enum pic_kind kind, const char *space,
					const char *name)
{
	return pic_store_get(data, kind, space, name);
}

static struct pic_object *next_in_store(void *data, enum pic_kind kind, const char *space,
					const struct pic_object *after)
{
	return pic_store_next(data, kind, space, after);
}

/* The namespace every client assumes. */
static int ensure_default_namespace(struct pic_store *store, struct pic_error *err)
{
	const struct pic_actor actor = { "hub", "", "start" };

	if (pic_store_get(store, PIC_KIND_NAMESPACE, "", "default"))
		return 0;
	struct pic_json *made = pic_json_new_object();
	pic_json_set_text(made, "apiVersion", "v1");
	pic_json_set_text(made, "kind", "Namespace");
	struct pic_json *metadata = pic_json_ensure_object(made, "metadata");
	pic_json_set_text(metadata, "name", "default");
	pic_json_set_integer(metadata, "generation", 1);
	pic_json_set_text(pic_json_ensure_object(metadata, "labels"), "kubernetes.io/metadata.name",
			  "default");
	pic_json_set_text(pic_json_ensure_object(made, "status"), "phase", "Active");
	struct pic_change *change = pic_change_new(store, &actor);
	int r = pic_change_put(change, PIC_KIND_NAMESPACE, made, err);
	if (r < 0) {
		pic_change_drop(change);
		return r;
	}
	pic_change_commit(change, NULL, NULL);
	return 0;
}

int pic_kube_open(struct pic_kube **out, struct pic_hub *hub, struct pic_error *err)
{
	struct pic_kube *kube = calloc(1, sizeof(*kube));

	if (!kube)
		return pic_error_set(err, -ENOMEM, "no memory for the kube API");
	kube->hub = hub;
	kube->world = (struct pic_kube_world){ find_in_store, next_in_store, hub->store,
					       pic_clock_wall_ms };
	kube->last_applied = pic_store_revision(hub->store);
	kube->openapi_v2 = (struct pic_buf)PIC_BUF_INIT(PIC_KUBE_OPENAPI_V2_MAX);
	int r = pic_kube_watchers_new(&kube->watchers, hub->loop, hub->store, err);
	if (r >= 0 &&
	    (r = pic_store_listen(hub->store, PIC_STORE_APPLIED, pic_kube_on_applied, kube)) < 0)
		pic_error_set(err, r, "the kube API cannot listen to the store");
	if (r >= 0)
		r = ensure_default_namespace(hub->store, err);
	if (r < 0) {
		pic_kube_close(kube);
		return r;
	}
	*out = kube;
	return 0;
}

void pic_kube_stop(struct pic_kube *kube)
{
	kube->stopped = true;
	pic_kube_watchers_reset(kube->watchers);
}

void pic_kube_close(struct pic_kube *kube)
{
	if (!kube)
		return;
	pic_kube_watchers_free(kube->watchers);
	pic_buf_free(&kube->openapi_v2);
	free(kube);
}

size_t pic_kube_watchers(const struct pic_kube *kube)
{
	return pic_kube_watchers_count(kube->watchers);
}

#define ROUTE(method, pattern, handle) \
	{ \
		(method), (pattern), PIC_ACCESS_ADMIN, PIC_LISTENER_TLS, (handle) \
	}

const struct pic_route pic_kube_routes[] = {
	ROUTE("GET", "/version", pic_kube_handle_version),
	ROUTE("GET", "/api", pic_kube_handle_core),
	ROUTE("GET", "/api/v1", pic_kube_handle_core_resources),
	ROUTE("GET", "/apis", pic_kube_handle_groups),
	ROUTE("GET", "/apis/{group}", pic_kube_handle_group),
	ROUTE("GET", "/apis/{group}/{version}", pic_kube_handle_resources),
	ROUTE("GET", "/openapi/v2", pic_kube_handle_openapi_v2),
	ROUTE("GET", "/openapi/v3", pic_kube_handle_openapi_v3),
	ROUTE("GET", "/openapi/v3/api/{version}", pic_kube_handle_openapi_v3_core),
	ROUTE("GET", "/openapi/v3/apis/{group}/{version}", pic_kube_handle_openapi_v3_group),
	ROUTE("GET", "/api/v1/{rest...}", handle_resource),
	ROUTE("POST", "/api/v1/{rest...}", handle_resource),
	ROUTE("PUT", "/api/v1/{rest...}", handle_resource),
	ROUTE("PATCH", "/api/v1/{rest...}", handle_resource),
	ROUTE("DELETE", "/api/v1/{rest...}", handle_resource),
	ROUTE("GET", "/apis/{group}/{version}/{rest...}", handle_resource),
	ROUTE("POST", "/apis/{group}/{version}/{rest...}", handle_resource),
	ROUTE("PUT", "/apis/{group}/{version}/{rest...}", handle_resource),
	ROUTE("PATCH", "/apis/{group}/{version}/{rest...}", handle_resource),
	ROUTE("DELETE", "/apis/{group}/{version}/{rest...}", handle_resource),
	{ .method = NULL },
};
