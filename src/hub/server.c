#include "hub/server.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "base/cleanup.h"
#include "hub/admin_api/admin.h"
#include "hub/host.h"
#include "hub/route.h"
#include "hub/web/web.h"

#define LISTENERS_MAX 16
#define CONNECTIONS_MAX 16000
#define CONNECTIONS_OF_DEVICE 128 /* with those that its network has silently dropped */
#define FILES_OF_OURS 256	  /* descriptors that are not connections */
#define IDLE_TIMEOUT_S 120

/* Bodies, by who sends them. */
#define BODY_OF_ANYBODY ((size_t)64 * 1024)
#define BODY_OF_DEVICE ((size_t)1024 * 1024)
#define BODY_OF_ADMIN ((size_t)4 * 1024 * 1024) /* kube's own limit is 3 MiB */

struct listener {
	struct pic_hub_server *owner;
	enum pic_listener kind;
	struct pic_server *server;
};

struct pic_hub_server {
	struct pic_hub *hub;
	struct listener listeners[LISTENERS_MAX]; /* the TLS ones, then the plain one */
	size_t tls_count;
	size_t count;
	const char *const *names;
	size_t artifact_max;
	struct pic_hub_server_facts facts;
};

static const struct pic_route *const tables[] = {
	pic_device_routes,     pic_kube_routes, pic_symphony_routes, pic_admin_routes,
	pic_first_boot_routes, pic_web_routes,	pic_plain_routes,    NULL,
};

/* How a refusal is worded, by the path's beginning. */
static pic_refuse_fn *face_of(const char *path)
{
	static const struct {
		const char *prefix;
		pic_refuse_fn *refuse;
	} faces[] = {
		{ "/v1alpha2", pic_symphony_refuse },
		{ "/api", pic_kube_refuse }, /* and /apis */
		{ "/openapi", pic_kube_refuse },
		{ "/version", pic_kube_refuse },
	};

	for (size_t i = 0; i < PIC_COUNT(faces); i++) {
		if (pic_text_starts(path, faces[i].prefix))
			return faces[i].refuse;
	}
	return pic_plain_refuse;
}

/* A refusal of the gate: status, sentence, and a word for programs. */
struct verdict {
	int status; /* 0: pass */
	const char *why;
	const char *reason;
};

static struct verdict pass(void)
{
	return (struct verdict){ 0, NULL, NULL };
}

static struct verdict check_origin(const struct listener *listener,
				   const struct pic_exchange *exchange)
{
	const char *host = pic_exchange_header(exchange, "Host");

	if (!pic_host_is_allowed(host, listener->owner->names))
		return (struct verdict){
			421,
			"this hub does not answer to the name in the request's Host; start "
			"it with --public-url to add one",
			NULL
		};
	if (!pic_origin_is_own(pic_exchange_header(exchange, "Origin"), host,
			       pic_exchange_is_tls(exchange)))
		return (struct verdict){ 403, "requests from pages of another site are refused",
					 NULL };
	return pass();
}

static struct verdict find_route(const struct listener *listener,
				 const struct pic_exchange *exchange, struct pic_route_match *match)
{
	match->caller = (struct pic_caller){ .role = PIC_ROLE_NOBODY };
	switch (pic_route_find(tables, pic_exchange_method(exchange), pic_exchange_path(exchange),
			       listener->kind, match)) {
	case 0:
		return pass();
	case -EPERM:
		return (struct verdict){ 404,
					 listener->kind == PIC_LISTENER_PLAIN
						 ? "this path is served on the TLS listener only"
						 : "this path is served on the plain listener only",
					 NULL };
	case -ENOTSUP:
		return (struct verdict){ 405, "this path does not know that method", NULL };
	case -EINVAL:
		return (struct verdict){ 400, "the path of the request is damaged", NULL };
	default:
		return (struct verdict){ 404, "the hub has no such path", NULL };
	}
}

static struct verdict nobody(const struct pic_caller *caller)
{
	if (caller->is_unknown)
		return (struct verdict){
			403,
			"the certificate is one of this hub's, but the hub does not know "
			"this device; enrol it again with piccoloctl enroll",
			"UnknownDevice"
		};
	return (struct verdict){ 401, "credentials are missing or not valid", "Unauthorized" };
}

static struct verdict check_access(const struct listener *listener,
				   const struct pic_exchange *exchange,
				   struct pic_route_match *match)
{
	struct pic_hub *hub = listener->owner->hub;
	struct pic_caller *caller = &match->caller;
	const enum pic_access access = match->route->access;

	if (access == PIC_ACCESS_OPEN ||
	    (access == PIC_ACCESS_READER && listener->kind == PIC_LISTENER_PLAIN))
		return pass();
	if (access == PIC_ACCESS_PAGE) {
		pic_web_caller(hub->web, exchange, caller);
		return caller->role == PIC_ROLE_ADMIN ? pass() : nobody(caller);
	}
	pic_identity_caller(hub->identity, exchange, caller);
	/* The open login's token is worth nothing where strangers could bring it. */
	if (caller->is_demo && (listener->kind != PIC_LISTENER_PLAIN || !hub->insecure_demo))
		*caller = (struct pic_caller){ .role = PIC_ROLE_NOBODY };
	/* What an Ignition config names is fetched with its key. */
	if (caller->role == PIC_ROLE_NOBODY && access == PIC_ACCESS_READER)
		pic_identity_boot_caller(hub->identity, exchange, caller);
	switch (caller->role) {
	case PIC_ROLE_NOBODY:
		return nobody(caller);
	case PIC_ROLE_BOOT:
		return pass();
	case PIC_ROLE_ADMIN:
		if (access == PIC_ACCESS_DEVICE)
			return (struct verdict){ 403,
						 "only a device may ask this, with its certificate",
						 "Forbidden" };
		return pass();
	case PIC_ROLE_DEVICE:
		if (access == PIC_ACCESS_ADMIN)
			return (struct verdict){ 403, "a device may not ask this", "Forbidden" };
		return pass();
	}
	return nobody(caller);
}

static struct verdict gate(const struct listener *listener, const struct pic_exchange *exchange,
			   struct pic_route_match *match)
{
	struct verdict verdict = check_origin(listener, exchange);

	if (verdict.status == 0)
		verdict = find_route(listener, exchange, match);
	if (verdict.status == 0)
		verdict = check_access(listener, exchange, match);
	return verdict;
}

/* From here on the connection does not count for the address that it shares with others. */
static struct verdict check_count(struct pic_exchange *exchange, const struct pic_caller *caller)
{
	char owner[PIC_NAME_MAX + sizeof("device/")];

	if (caller->role == PIC_ROLE_ADMIN)
		pic_exchange_belongs(exchange, "admin", UINT_MAX);
	if (caller->role != PIC_ROLE_DEVICE)
		return pass();
	snprintf(owner, sizeof(owner), "device/%s", caller->name);
	if (pic_exchange_belongs(exchange, owner, CONNECTIONS_OF_DEVICE))
		return pass();
	return (struct verdict){ 429, "this device has too many connections open",
				 "TooManyRequests" };
}

static void refuse(struct pic_exchange *exchange, const struct verdict *verdict)
{
	pic_refuse_fn *face = face_of(pic_exchange_path(exchange));

	if (face == pic_plain_refuse && pic_web_is_browser(exchange) &&
	    pic_exchange_is_tls(exchange))
		pic_web_refuse(exchange, verdict->status, verdict->why);
	else if (face == pic_plain_refuse)
		pic_plain_refuse_reason(exchange, verdict->status, verdict->reason, verdict->why);
	else
		face(exchange, verdict->status, verdict->why);
}

static void handle(void *data, struct pic_exchange *exchange)
{
	struct listener *listener = data;
	struct pic_hub_server *server = listener->owner;
	struct pic_route_match match;
	struct verdict verdict = gate(listener, exchange, &match);

	if (verdict.status == 0)
		verdict = check_count(exchange, &match.caller);
	server->facts.requests++;
	pic_reply_header(exchange, "X-Content-Type-Options", "nosniff");
	if (verdict.status) {
		server->facts.refused++;
		refuse(exchange, &verdict);
		return;
	}
	match.route->handle(server->hub, exchange, &match);
}

/* Asked before the body arrives. Who would be refused sends little; the gate itself says no later. */
static size_t body_limit(void *data, const struct pic_exchange *exchange)
{
	struct listener *listener = data;
	struct pic_route_match match;

	if (!pic_exchange_header(exchange, "Content-Length") &&
	    !pic_exchange_header(exchange, "Transfer-Encoding"))
		return 0;
	if (gate(listener, exchange, &match).status)
		return BODY_OF_ANYBODY;
	switch (match.caller.role) {
	case PIC_ROLE_ADMIN:
		return match.route->handle == pic_admin_artifact_put ? listener->owner->artifact_max
								     : BODY_OF_ADMIN;
	case PIC_ROLE_DEVICE:
		return BODY_OF_DEVICE;
	case PIC_ROLE_NOBODY:
	case PIC_ROLE_BOOT:
		return BODY_OF_ANYBODY;
	}
	return 0;
}

static void refuse_early(void *data, struct pic_exchange *exchange, int status, const char *why)
{
	struct verdict verdict = { status, why, NULL };
	struct listener *listener = data;

	listener->owner->facts.requests++;
	listener->owner->facts.refused++;
	refuse(exchange, &verdict);
}

static void gone(void *data, struct pic_exchange *exchange)
{
	struct pic_kept *kept = pic_exchange_data(exchange);

	(void)data;
	if (kept)
		kept->gone(kept, exchange);
}

/* What is left of the process's descriptors goes to the listeners in equal parts, so that no crowd of
 * strangers can keep the hub from opening its files. */
static unsigned connections_max(const struct pic_hub_server_settings *settings)
{
	size_t listeners = settings->plain != NULL;
	struct rlimit files;
	rlim_t room;

	for (const char *const *address = settings->tls; *address; address++)
		listeners++;
	if (getrlimit(RLIMIT_NOFILE, &files) < 0 || files.rlim_cur == RLIM_INFINITY)
		return CONNECTIONS_MAX;
	room = files.rlim_cur > 2 * FILES_OF_OURS ? files.rlim_cur - FILES_OF_OURS
						  : files.rlim_cur / 2;
	room /= listeners;
	return room < CONNECTIONS_MAX ? (unsigned)room : CONNECTIONS_MAX;
}

static int add_listener(struct pic_hub_server *server, const char *address,
			const struct pic_hub_server_settings *settings, enum pic_listener kind,
			struct pic_error *err)
{
	struct listener *listener = &server->listeners[server->count];
	struct pic_server_settings own = {
		.address = address,
		.body_max = settings->artifact_max > BODY_OF_ADMIN ? settings->artifact_max
								   : BODY_OF_ADMIN,
		.connections_max = connections_max(settings),
		.idle_timeout_s = IDLE_TIMEOUT_S,
		.body_limit = body_limit,
		.handle = handle,
		.gone = gone,
		.refuse = refuse_early,
		.data = listener,
	};

	if (server->count == LISTENERS_MAX)
		return pic_error_set(err, -E2BIG, "at most %d addresses to listen on",
				     LISTENERS_MAX);
	if (kind == PIC_LISTENER_TLS) {
		own.certificate_pem = settings->certificate_pem;
		own.key_pem = settings->key_pem;
		own.client_authority_pem = pic_identity_authority(server->hub->identity);
	}
	listener->owner = server;
	listener->kind = kind;
	int r = pic_server_new(&listener->server, server->hub->loop, &own, err);
	if (r == 0)
		server->count++;
	return r;
}

int pic_hub_server_open(struct pic_hub_server **out, struct pic_hub *hub,
			const struct pic_hub_server_settings *settings, struct pic_error *err)
{
	struct pic_hub_server *server = calloc(1, sizeof(*server));
	int r = 0;

	if (!server)
		return pic_error_set(err, -ENOMEM, "no memory for the listeners");
	server->hub = hub;
	server->names = settings->names;
	server->artifact_max = settings->artifact_max;
	for (const char *const *address = settings->tls; r == 0 && *address; address++)
		r = add_listener(server, *address, settings, PIC_LISTENER_TLS, err);
	server->tls_count = server->count;
	if (r == 0 && settings->plain)
		r = add_listener(server, settings->plain, settings, PIC_LISTENER_PLAIN, err);
	if (r < 0) {
		pic_hub_server_close(server);
		return r;
	}
	*out = server;
	return 0;
}

void pic_hub_server_close(struct pic_hub_server *server)
{
	if (!server)
		return;
	for (size_t i = 0; i < server->count; i++)
		pic_server_free(server->listeners[i].server);
	free(server);
}

const char *pic_hub_server_address(const struct pic_hub_server *server, int index)
{
	size_t at = index < 0 ? server->tls_count : (size_t)index;

	if (at >= server->count || (index >= 0 && at >= server->tls_count))
		return NULL;
	return pic_server_address(server->listeners[at].server);
}

void pic_hub_server_facts(const struct pic_hub_server *server, struct pic_hub_server_facts *out)
{
	*out = server->facts;
}

static struct pic_json *route_as_json(const struct pic_route *route)
{
	struct pic_json *json = pic_json_new_object();
	struct pic_json *listeners = pic_json_new_array();

	if (route->listeners & PIC_LISTENER_TLS)
		pic_json_append_text(listeners, "tls");
	if (route->listeners & PIC_LISTENER_PLAIN)
		pic_json_append_text(listeners, "plain");
	pic_json_set_text(json, "method", route->method);
	pic_json_set_text(json, "pattern", route->pattern);
	pic_json_set_text(json, "access", pic_access_text(route->access));
	pic_json_set(json, "listeners", listeners);
	return json;
}

int pic_hub_routes_print(FILE *out)
{
	PIC_JSON struct pic_json *list = pic_json_new_array();
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(1024 * 1024);

	for (const struct pic_route *const *table = tables; *table; table++) {
		for (const struct pic_route *route = *table; route->method; route++)
			pic_json_append(list, route_as_json(route));
	}
	if (pic_json_write(list, PIC_JSON_INDENT, &text) < 0)
		return -ENOMEM;
	return fprintf(out, "%s\n", pic_buf_text(&text)) < 0 ? -EIO : 0;
}
