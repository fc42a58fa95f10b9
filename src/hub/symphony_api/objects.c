/*
 * Targets, solutions, instances and catalogs: list, get, POST (create or replace), DELETE.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "hub/campaign/check.h"
#include "hub/engine/engine.h"
#include "hub/kube_api/catalog_rules.h"
#include "hub/kube_api/metadata.h"
#include "hub/kube_api/selector.h"
#include "hub/symphony_api/room.h"
#include "symphony/yaml.h"

#define YAML_MAX (16 * 1024 * 1024)
#define TOMBSTONE_MS (60 * 60 * 1000)

/* Reading. */

static void reply_value(struct pic_exchange *exchange, const struct pic_symphony_subject *subject,
			const struct pic_json *value)
{
	const char *form = pic_exchange_query(exchange, "doc-type");
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(YAML_MAX);

	if (!form || strcmp(form, "yaml") != 0) {
		pic_reply_json(exchange, 200, value);
		return;
	}
	if (pic_yaml_write(value, &text) < 0 || text.failed)
		pic_symphony_refuse(exchange, 500, "the answer could not be written as YAML");
	else
		pic_reply(exchange, 200, subject->later ? "text/plain" : "application/text",
			  text.data, text.size);
}

/* JSONPath is a language of its own; half of it would be worse than a clear no. */
static bool asks_for_path(struct pic_exchange *exchange)
{
	if (!pic_exchange_query(exchange, "path"))
		return false;
	pic_symphony_refuse(exchange, 400, "the query parameter path is not supported by this hub");
	return true;
}

/* filterType and filterValue: labels only. 0, or the exchange has been refused. */
static int read_filter(struct pic_exchange *exchange, struct pic_selector *out)
{
	const char *type = pic_exchange_query(exchange, "filterType");
	const char *value = pic_exchange_query(exchange, "filterValue");
	struct pic_error err = PIC_ERROR_INIT;

	*out = (struct pic_selector){ .text = NULL };
	if (!type || !*type)
		return 0;
	if (strcmp(type, "label") != 0) {
		pic_symphony_refuse(exchange, 400, "filterType must be label");
		return -EINVAL;
	}
	if (pic_selector_parse_labels(value ? value : "", out, &err) < 0) {
		pic_symphony_refuse(exchange, 400, err.text);
		return -EINVAL;
	}
	return 0;
}

void pic_symphony_list(struct pic_hub *hub, struct pic_exchange *exchange,
		       const struct pic_route_match *match)
{
	struct pic_symphony_subject subject = pic_symphony_subject(exchange, match);
	const char *space = pic_exchange_query(exchange, "namespace"); /* absent: all */
	PIC_JSON struct pic_json *list = pic_json_new_array();
	PIC_SELECTOR struct pic_selector filter;

	if (read_filter(exchange, &filter) < 0 || asks_for_path(exchange))
		return;
	for (struct pic_object *object = pic_store_next(hub->store, subject.kind, space, NULL);
	     object; object = pic_store_next(hub->store, subject.kind, space, object)) {
		if (!pic_symphony_is_hidden(object) &&
		    pic_selector_match_labels(&filter, object->json))
			pic_json_append(list, pic_symphony_state(hub, exchange, object));
	}
	reply_value(exchange, &subject, list);
}

void pic_symphony_get(struct pic_hub *hub, struct pic_exchange *exchange,
		      const struct pic_route_match *match)
{
	struct pic_symphony_subject subject = pic_symphony_subject(exchange, match);
	struct pic_object *object = pic_symphony_find(hub, &subject);

	if (asks_for_path(exchange))
		return;
	if (!object) {
		pic_symphony_not_found(exchange, &subject);
		return;
	}
	PIC_JSON struct pic_json *state = pic_symphony_state(hub, exchange, object);
	reply_value(exchange, &subject, state);
}

/* Writing. */

/* The original ignores what it does not know; everything else that is wrong is said, one a line. */
static bool has_faults(const struct pic_findings *findings, struct pic_buf *out)
{
	for (size_t i = 0; i < findings->count && i < PIC_COUNT(findings->items); i++) {
		const struct pic_finding *finding = &findings->items[i];

		if (finding->kind == PIC_FINDING_UNKNOWN)
			continue;
		pic_buf_format(out, "%s%s: %s", out->size ? "\n" : "", finding->path,
			       finding->text);
	}
	return out->size > 0;
}

/* `with-binding=staging`: a target that any agent can serve, without knowing topologies. */
static void bind_staging(const char *name, struct pic_json *json)
{
	struct pic_json *spec = pic_json_get(json, "spec");
	struct pic_json *topologies = pic_json_get(spec, "topologies");
	struct pic_json *binding = pic_json_new_object();

	pic_json_set_bool(spec, "forceRedeploy", true);
	if (pic_json_count(topologies) == 0) {
		topologies = pic_json_new_array();
		pic_json_append(topologies, pic_json_new_object());
		pic_json_set(spec, "topologies", topologies);
	}
	struct pic_json *topology = pic_json_at(topologies, pic_json_count(topologies) - 1);
	struct pic_json *bindings = pic_json_get(topology, "bindings");
	for (size_t i = 0; i < pic_json_count(bindings); i++) {
		const char *role = pic_json_get_text(pic_json_at(bindings, i), "role");
		const char *provider = pic_json_get_text(pic_json_at(bindings, i), "provider");

		if (role && provider && strcmp(role, "instance") == 0 &&
		    strcmp(provider, "providers.target.staging") == 0) {
			pic_json_unref(binding);
			return;
		}
	}
	pic_json_set_text(binding, "role", "instance");
	pic_json_set_text(binding, "provider", "providers.target.staging");
	struct pic_json *config = pic_json_ensure_object(binding, "config");
	pic_json_set_text(config, "inCluster", "true");
	pic_json_set_text(config, "targetName", name);
	if (pic_json_type(bindings) != PIC_JSON_ARRAY) {
		bindings = pic_json_new_array();
		pic_json_set(topology, "bindings", bindings);
	}
	pic_json_append(bindings, binding);
}

/* Symphony's bodies carry no status and often no metadata: what is not said stays as it was. */
static void keep_what_was_not_said(const struct pic_object *live, struct pic_json *json)
{
	static const char *const kept[] = { "labels", "annotations", "ownerReferences",
					    "finalizers" };
	struct pic_json *metadata = pic_json_get(json, "metadata");
	const struct pic_json *before = pic_json_get(live->json, "metadata");

	for (size_t i = 0; i < PIC_COUNT(kept); i++) {
		struct pic_json *value = pic_json_get(before, kept[i]);

		if (value && !pic_json_get(metadata, kept[i]))
			pic_json_set(metadata, kept[i], pic_json_copy(value));
	}
	if (pic_object_status(live))
		pic_json_set(json, "status", pic_json_ref(pic_object_status(live)));
}

/* The object in kube's form, checked; or the exchange has been refused. */
static int read_object(struct pic_hub *hub, struct pic_exchange *exchange,
		       const struct pic_symphony_subject *subject, const struct pic_json *body,
		       struct pic_json **out)
{
	const char *binding = pic_exchange_query(exchange, "with-binding");
	PIC_BUF struct pic_buf faults = PIC_BUF_INIT(16 * 1024);
	PIC_JSON struct pic_json *json = NULL;
	struct pic_findings findings = { .count = 0 };
	struct pic_error err = PIC_ERROR_INIT;

	if (pic_object_from_symphony(subject->kind, subject->name, body, &json, &err) < 0) {
		pic_symphony_bad(exchange, subject, 400, err.text);
		return -EINVAL;
	}
	if (!pic_json_get_text(pic_json_get(json, "metadata"), "namespace"))
		pic_json_set_text(pic_json_get(json, "metadata"), "namespace", subject->space);
	if (binding && strcmp(binding, "staging") != 0) {
		pic_symphony_refuse(exchange, 400, "with-binding must be staging");
		return -EINVAL;
	}
	if (binding && subject->kind == PIC_KIND_TARGET)
		bind_staging(subject->name, json);
	pic_object_default(subject->kind, json);
	pic_object_validate(subject->kind, json, &findings);
	pic_campaign_check(
		subject->kind,
		pic_store_get(hub->store, subject->kind,
			      pic_json_text(pic_json_find(json, "metadata", "namespace", NULL)),
			      subject->name),
		json, &findings);
	if (has_faults(&findings, &faults)) {
		pic_symphony_bad(exchange, subject, 400, pic_buf_text(&faults));
		return -EINVAL;
	}
	*out = PIC_STEAL(json);
	return 0;
}

void pic_symphony_post(struct pic_hub *hub, struct pic_exchange *exchange,
		       const struct pic_route_match *match)
{
	struct pic_symphony_subject subject = pic_symphony_subject(exchange, match);
	PIC_JSON struct pic_json *body = NULL;
	struct pic_json *json = NULL;

	if (pic_symphony_body(exchange, &subject, &body) < 0 ||
	    read_object(hub, exchange, &subject, body, &json) < 0)
		return;
	subject.space = pic_json_get_text(pic_json_get(json, "metadata"), "namespace");
	const struct pic_object *live =
		pic_store_get(hub->store, subject.kind, subject.space, subject.name);
	if (subject.kind == PIC_KIND_CATALOG &&
	    (pic_kube_is_staged(json) || (live && pic_kube_is_staged(live->json)))) {
		pic_json_unref(json);
		pic_symphony_bad(exchange, &subject, 400,
				 "staged catalogs are written by the hub, out of instances");
		return;
	}
	if (live)
		keep_what_was_not_said(live, json);
	pic_kube_settle_metadata(live, json);
	pic_kube_settle_generation(live, json);
	pic_symphony_commit(hub, exchange, match, "post", subject.kind, json, NULL);
}

/* DELETE: nothing waits for a device. */

static struct pic_object *world_find(void *data, enum pic_kind kind, const char *space,
				     const char *name)
{
	return pic_store_get(data, kind, space, name);
}

static struct pic_object *world_next(void *data, enum pic_kind kind, const char *space,
				     const struct pic_object *after)
{
	return pic_store_next(data, kind, space, after);
}

static bool was_just_there(struct pic_store *store, const struct pic_symphony_subject *subject)
{
	const struct pic_object *tombstone =
		pic_store_get(store, PIC_KIND_TOMBSTONE, subject->space, subject->name);
	const char *since = pic_json_get_text(pic_object_spec(tombstone), "gone");
	int64_t then;

	return since && pic_time_parse(since, &then) == 0 &&
	       pic_clock_wall_ms() - then < TOMBSTONE_MS;
}

/* Missing: in 2023 a target or instance is deleted by a job, which nobody asks; the others say so. */
static void delete_missing(struct pic_hub *hub, struct pic_exchange *exchange,
			   const struct pic_symphony_subject *subject)
{
	const bool is_job = subject->kind == PIC_KIND_TARGET || subject->kind == PIC_KIND_INSTANCE;
	const struct pic_object *hidden =
		pic_store_get(hub->store, subject->kind, subject->space, subject->name);

	if (is_job || hidden ||
	    (subject->kind == PIC_KIND_CATALOG && was_just_there(hub->store, subject)))
		pic_reply(exchange, 200, NULL, NULL, 0);
	else
		pic_symphony_not_found(exchange, subject);
}

static void hide(struct pic_hub *hub, struct pic_exchange *exchange,
		 const struct pic_route_match *match, const struct pic_object *catalog)
{
	struct pic_json *json = pic_json_copy(catalog->json);

	pic_json_set_text(pic_json_ensure_object(pic_json_get(json, "metadata"), "annotations"),
			  PIC_ENGINE_HIDDEN, "true");
	pic_symphony_commit(hub, exchange, match, "delete", PIC_KIND_CATALOG, json, NULL);
}

static void delete_object(struct pic_hub *hub, struct pic_exchange *exchange,
			  const struct pic_route_match *match, const struct pic_object *object)
{
	char who[PIC_WHO_TEXT];
	const struct pic_actor actor = pic_match_actor(match, exchange, "delete", who);
	struct pic_change *change = pic_change_new(hub->store, &actor);

	pic_change_delete(change, object->kind, object->space, object->name);
	pic_reply_when_durable(exchange, change, 200, NULL, pic_symphony_refuse);
}

void pic_symphony_delete(struct pic_hub *hub, struct pic_exchange *exchange,
			 const struct pic_route_match *match)
{
	struct pic_symphony_subject subject = pic_symphony_subject(exchange, match);
	const struct pic_kube_world world = { .find = world_find,
					      .next = world_next,
					      .data = hub->store };
	struct pic_object *object = pic_symphony_find(hub, &subject);

	if (!object) {
		delete_missing(hub, exchange, &subject);
		return;
	}
	if (object->kind != PIC_KIND_CATALOG) {
		delete_object(hub, exchange, match, object);
		return;
	}
	switch (pic_kube_catalog_delete(&world, object)) {
	case PIC_KUBE_CATALOG_REMOVE:
		delete_object(hub, exchange, match, object);
		return;
	case PIC_KUBE_CATALOG_HIDE:
		hide(hub, exchange, match, object);
		return;
	case PIC_KUBE_CATALOG_REFUSE:
		pic_symphony_bad(
			exchange, &subject, 409,
			"the catalog belongs to an instance that is there; delete the instance");
		return;
	}
}

/* Sites of the original report here how far they are; the activations of this hub are its own. */
void pic_symphony_activation_status(struct pic_hub *hub, struct pic_exchange *exchange,
				    const struct pic_route_match *match)
{
	struct pic_symphony_subject subject = pic_symphony_subject(exchange, match);

	if (!pic_symphony_find(hub, &subject))
		pic_symphony_not_found(exchange, &subject);
	else
		pic_symphony_result(exchange, 400, "this hub runs its activations itself");
}
