/*
 * The routes that belong to no face: health, metrics, what Prometheus discovers, artifacts.
 */
#include <string.h>

#include "base/metrics.h"
#include "base/version.h"
#include "hub/approval/wait.h"
#include "hub/artifacts/artifacts.h"
#include "hub/device_api/devices.h"
#include "hub/engine/reconciler.h"
#include "hub/first_boot/first_boot.h"
#include "hub/kube_api/kube.h"
#include "hub/route.h"
#include "hub/server.h"

#define METRICS_MAX (256 * 1024)

static void reply_ok(struct pic_hub *hub, struct pic_exchange *exchange,
		     const struct pic_route_match *match)
{
	(void)hub;
	(void)match;
	pic_reply(exchange, 200, "text/plain; charset=utf-8", "ok\n", 3);
}

/* Ready: what was asked last could be stored. */
static void reply_ready(struct pic_hub *hub, struct pic_exchange *exchange,
			const struct pic_route_match *match)
{
	struct pic_store_facts facts;

	(void)match;
	pic_store_facts(hub->store, &facts);
	if (facts.is_failing)
		pic_plain_refuse(exchange, 503, "the store cannot write; the log says why");
	else
		reply_ok(hub, exchange, match);
}

/* Metrics. */

static void one(struct pic_buf *out, const char *name, const char *type, const char *help,
		double value)
{
	pic_metrics_family(out, name, type, help);
	pic_metrics_sample(out, name, NULL, 0, value);
}

static void write_build(struct pic_buf *out)
{
	const struct pic_label labels[] = { { "program", "piccolo-hub" },
					    { "version", PIC_VERSION } };

	pic_metrics_family(out, "piccolo_build_info", "gauge", "Which build this is.");
	pic_metrics_sample(out, "piccolo_build_info", labels, PIC_COUNT(labels), 1);
}

static void write_objects(struct pic_hub *hub, struct pic_buf *out)
{
	pic_metrics_family(out, "piccolo_hub_objects", "gauge", "Objects in the store.");
	for (int kind = 0; kind < PIC_KIND_COUNT; kind++) {
		const struct pic_label label = { "kind",
						 pic_kind_facts((enum pic_kind)kind)->name };

		pic_metrics_sample(out, "piccolo_hub_objects", &label, 1,
				   (double)pic_store_count(hub->store, (enum pic_kind)kind));
	}
}

static void write_store(struct pic_hub *hub, struct pic_buf *out)
{
	struct pic_store_facts facts;

	pic_store_facts(hub->store, &facts);
	one(out, "piccolo_hub_store_changes_total", "counter", "Durable changes.",
	    (double)facts.changes);
	one(out, "piccolo_hub_store_commits_total", "counter",
	    "Transactions; fewer than changes, because what waits is committed together.",
	    (double)facts.commits);
	one(out, "piccolo_hub_store_failures_total", "counter", "Changes that the disk refused.",
	    (double)facts.failures);
	one(out, "piccolo_hub_store_commit_seconds_total", "counter", "Time spent in transactions.",
	    facts.commit_seconds);
}

static void write_devices(struct pic_hub *hub, struct pic_buf *out)
{
	struct pic_devices_facts facts;

	pic_devices_facts(hub->devices, &facts);
	one(out, "piccolo_hub_devices", "gauge", "Enrolled devices.", (double)facts.known);
	one(out, "piccolo_hub_devices_online", "gauge", "Devices that are connected.",
	    (double)facts.online);
	one(out, "piccolo_hub_polls_held", "gauge", "Polls of devices that wait for news.",
	    (double)facts.polls);
	one(out, "piccolo_hub_asks_waiting", "gauge",
	    "Questions that devices have not answered yet.", (double)facts.asks);
	one(out, "piccolo_hub_documents_given_total", "counter", "Documents given to devices.",
	    (double)facts.documents_given);
	one(out, "piccolo_hub_reports_total", "counter", "Reports of devices.",
	    (double)facts.reports);
	one(out, "piccolo_hub_asks_answered_total", "counter", "Questions that devices answered.",
	    (double)facts.asks_answered);
	one(out, "piccolo_hub_asks_failed_total", "counter", "Questions without an answer.",
	    (double)facts.asks_failed);
}

static void write_engine(struct pic_hub *hub, struct pic_buf *out)
{
	struct pic_reconciler_facts facts;

	pic_reconciler_facts(hub->reconciler, &facts);
	one(out, "piccolo_hub_reconciles_total", "counter", "Instances and targets looked at.",
	    (double)facts.reconciles);
	one(out, "piccolo_hub_reconcile_writes_total", "counter", "Changes that came out of that.",
	    (double)facts.writes);
	one(out, "piccolo_hub_reconcile_failures_total", "counter",
	    "Changes of the engine that the disk refused.", (double)facts.failures);
}

static void write_requests(struct pic_hub *hub, struct pic_buf *out)
{
	struct pic_hub_server_facts facts;

	pic_hub_server_facts(hub->server, &facts);
	one(out, "piccolo_hub_requests_total", "counter", "HTTP requests.", (double)facts.requests);
	one(out, "piccolo_hub_requests_refused_total", "counter",
	    "HTTP requests refused before a handler saw them.", (double)facts.refused);
	one(out, "piccolo_hub_watchers", "gauge", "Watches of the kube API.",
	    (double)pic_kube_watchers(hub->kube));
}

static void reply_metrics(struct pic_hub *hub, struct pic_exchange *exchange,
			  const struct pic_route_match *match)
{
	PIC_BUF struct pic_buf out = PIC_BUF_INIT(METRICS_MAX);
	struct pic_error err = PIC_ERROR_INIT;

	(void)match;
	write_build(&out);
	write_objects(hub, &out);
	write_store(hub, &out);
	write_devices(hub, &out);
	write_engine(hub, &out);
	write_requests(hub, &out);
	if (pic_buf_check(&out, "the metrics", &err) < 0)
		pic_plain_refuse(exchange, 500, err.text);
	else
		pic_reply(exchange, 200, PIC_METRICS_CONTENT_TYPE, out.data, out.size);
}

/* Prometheus' HTTP service discovery: every device, scraped through this hub. */

static struct pic_json *discovered(struct pic_hub *hub, const struct pic_object *record)
{
	struct pic_json *group = pic_json_new_object();
	struct pic_json *targets = pic_json_new_array();
	PIC_BUF struct pic_buf path = PIC_BUF_INIT(1024);

	pic_buf_format(&path, "/piccolo/v1/devices/%s/metrics", record->name);
	pic_json_append_text(targets, hub->public_url + strlen("https://"));
	pic_json_set(group, "targets", targets);
	struct pic_json *labels = pic_json_ensure_object(group, "labels");
	pic_json_set_text(labels, "__scheme__", "https");
	pic_json_set_text(labels, "__metrics_path__", pic_buf_text(&path));
	pic_json_set_text(labels, "device", record->name);
	return group;
}

static void reply_discovery(struct pic_hub *hub, struct pic_exchange *exchange,
			    const struct pic_route_match *match)
{
	PIC_JSON struct pic_json *list = pic_json_new_array();

	(void)match;
	for (struct pic_object *record = pic_store_next(hub->store, PIC_KIND_DEVICE, NULL, NULL);
	     record; record = pic_store_next(hub->store, PIC_KIND_DEVICE, NULL, record))
		pic_json_append(list, discovered(hub, record));
	pic_reply_json(exchange, 200, list);
}

/* Artifacts. */

static void reply_artifact(struct pic_hub *hub, struct pic_exchange *exchange,
			   const struct pic_route_match *match)
{
	const char *name = match->captured[0];
	char hex[PIC_SHA256_TEXT];
	struct pic_sha256 digest;

	/* A published name stands for its digest. */
	if (pic_artifacts_named(hub->artifacts, name, &digest) == 0 ||
	    (strlen(name) == PIC_SHA256_TEXT - 1 && pic_sha256_parse(name, &digest) == 0))
		pic_sha256_text(&digest, hex);
	else
		hex[0] = '\0';
	/* A device reads what its own catalogs name, and nothing else. */
	if (match->caller.role == PIC_ROLE_DEVICE &&
	    !pic_devices_wants_artifact(hub->devices, match->caller.name, hex)) {
		pic_plain_refuse_reason(exchange, 404, "NotFound",
					"no component of this device has such an artifact");
		return;
	}
	if (match->caller.role == PIC_ROLE_BOOT &&
	    !pic_first_boot_names(hub->store, match->caller.name, hex)) {
		pic_plain_refuse_reason(
			exchange, 404, "NotFound",
			"the Ignition config of this device names no such artifact");
		return;
	}
	pic_artifacts_serve(hub->artifacts, exchange, *hex ? hex : name);
}

#define BOTH (PIC_LISTENER_TLS | PIC_LISTENER_PLAIN)

const struct pic_route pic_plain_routes[] = {
	{ "GET", "/healthz", PIC_ACCESS_OPEN, BOTH, reply_ok },
	{ "GET", "/readyz", PIC_ACCESS_OPEN, BOTH, reply_ready },
	{ "GET", "/metrics", PIC_ACCESS_ADMIN, PIC_LISTENER_TLS, reply_metrics },
	{ "GET", "/prometheus/sd", PIC_ACCESS_ADMIN, PIC_LISTENER_TLS, reply_discovery },
	{ "GET", "/artifacts/{digest}", PIC_ACCESS_READER, BOTH, reply_artifact },
	/* open, but worth nothing without the key in the address */
	{ "GET", "/approve", PIC_ACCESS_OPEN, BOTH, pic_approval_url_handle },
	{ "POST", "/approve", PIC_ACCESS_OPEN, BOTH, pic_approval_url_handle },
	{ NULL, NULL, PIC_ACCESS_OPEN, 0, NULL },
};
