#include "hub/admin_api/plan.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "hub/admin_api/admin.h"
#include "hub/artifacts/artifacts.h"
#include "hub/engine/resolver.h"
#include "hub/engine/world.h"
#include "hub/kube_api/metadata.h"

#define OBJECTS_MAX 1000
#define NEEDS_MAX 256

/* The objects as they would be stored. */
struct overlay {
	struct pic_object **items;
	size_t count;
};

static void overlay_free(struct overlay *overlay)
{
	for (size_t i = 0; i < overlay->count; i++)
		pic_object_unref(overlay->items[i]);
	free(overlay->items);
	*overlay = (struct overlay){ NULL, 0 };
}

static bool reaches_devices(const struct pic_kind_facts *facts)
{
	return facts->kind == PIC_KIND_TARGET || facts->kind == PIC_KIND_SOLUTION ||
	       facts->kind == PIC_KIND_INSTANCE;
}

/* The kind that "solution.symphony/v1" and "Solution" name, or NULL. */
static const struct pic_kind_facts *kind_of(const struct pic_json *object)
{
	const char *version = pic_json_text_or(pic_json_get(object, "apiVersion"), "");
	const char *name = pic_json_text_or(pic_json_get(object, "kind"), "");
	char group[128] = "";
	const char *slash = strchr(version, '/');

	if (slash)
		snprintf(group, sizeof(group), "%.*s", (int)(slash - version), version);
	return pic_kind_by_name(group, name);
}

static int check(enum pic_kind kind, const struct pic_json *json, const char *name,
		 struct pic_error *err)
{
	struct pic_findings findings = { .count = 0 };

	pic_object_validate(kind, json, &findings);
	if (findings.count == 0)
		return 0;
	return pic_error_set(err, -EINVAL, "%s %.80s: %s: %s", pic_kind_facts(kind)->singular, name,
			     findings.items[0].path, findings.items[0].text);
}

static int lay_over(struct pic_hub *hub, const struct pic_kind_facts *facts,
		    const struct pic_json *object, struct overlay *overlay, struct pic_error *err)
{
	PIC_JSON struct pic_json *json = pic_json_copy(object);
	struct pic_json *metadata = pic_json_ensure_object(json, "metadata");
	const char *name = pic_json_get_text(metadata, "name");
	struct pic_object *made;

	if (!name)
		return pic_error_set(err, -EINVAL, "a %s has no metadata.name", facts->singular);
	if (!pic_json_get_text(metadata, "namespace"))
		pic_json_set_text(metadata, "namespace", "default");
	pic_object_default(facts->kind, json);
	int r = check(facts->kind, json, name, err);
	if (r < 0)
		return r;
	const struct pic_object *live = pic_store_get(
		hub->store, facts->kind, pic_json_get_text(metadata, "namespace"), name);
	pic_kube_settle_metadata(live, json);
	if (live && pic_object_status(live))
		pic_json_set(json, "status", pic_json_ref(pic_object_status(live)));
	if (!live)
		pic_json_set_text(metadata, "uid", "planned");
	pic_kube_settle_generation(live, json);
	r = pic_object_new(&made, facts->kind, PIC_STEAL(json), err);
	if (r == 0)
		overlay->items[overlay->count++] = made;
	return r;
}

static int make_overlay(struct pic_hub *hub, const struct pic_json *objects,
			struct overlay *overlay, struct pic_error *err)
{
	size_t count = pic_json_count(objects);
	int r = 0;

	if (pic_json_type(objects) != PIC_JSON_ARRAY || count > OBJECTS_MAX)
		return pic_error_set(err, -EINVAL, "the body must be a list of at most %d objects",
				     OBJECTS_MAX);
	overlay->items = calloc(count + 1, sizeof(*overlay->items));
	if (!overlay->items)
		return pic_error_set(err, -ENOMEM, "no memory for a plan");
	for (size_t i = 0; i < count && r == 0; i++) {
		const struct pic_kind_facts *facts = kind_of(pic_json_at(objects, i));

		if (!facts)
			r = pic_error_set(err, -EINVAL,
					  "object %zu of the list is of no kind this hub knows",
					  i + 1);
		else if (reaches_devices(facts))
			r = lay_over(hub, facts, pic_json_at(objects, i), overlay, err);
	}
	return r;
}

/* URLs that would have to be resolved, taken for resolved. */

static const char *staged_digest(const struct pic_engine_input *input, const char *component,
				 const char *url)
{
	for (size_t i = 0; i < input->catalog_count; i++) {
		const struct pic_json *list = pic_json_find(pic_object_spec(input->catalogs[i]),
							    "properties", "components", NULL);

		for (size_t k = 0; k < pic_json_count(list); k++) {
			const struct pic_json *one = pic_json_at(list, k);
			const struct pic_json *properties = pic_json_get(one, "properties");
			const char *name = pic_json_get_text(one, "name"), *digest = NULL;
			bool same_url = false;

			if (!name || strcmp(name, component) != 0)
				continue;
			pic_json_each(properties, p) {
				const char *text = pic_json_text(pic_json_value(p));

				same_url |= text && pic_text_ends(pic_json_key(p), ".url") &&
					    strcmp(text, url) == 0;
				if (pic_text_ends(pic_json_key(p), ".sha256"))
					digest = text;
			}
			if (same_url && digest)
				return digest;
		}
	}
	return NULL;
}

static void suppose(struct pic_hub *hub, const struct pic_engine_input *input,
		    const struct pic_engine_need *need, struct pic_engine_resolution *out)
{
	const char *name = NULL, *staged;

	*out = (struct pic_engine_resolution){
		.component = need->component,
		.url = need->url,
		.generation = input->solution ? input->solution->generation : 0,
	};
	if (pic_resolver_own_url(need->url, hub->public_url, &name)) {
		if (pic_sha256_parse(name, &out->digest) < 0 &&
		    pic_artifacts_named(hub->artifacts, name, &out->digest) < 0)
			out->failure = "the hub has no artifact of that name";
		return;
	}
	/* What is staged is what stood there; else any digest will do to show a start. */
	staged = staged_digest(input, need->component, need->url);
	if (!staged || pic_sha256_parse(staged, &out->digest) < 0)
		pic_sha256_of(need->url, strlen(need->url), &out->digest);
}

/* The same once more, with everything the engine needs supposed to be there. */
static int reconcile_supposing(struct pic_hub *hub, struct pic_engine_input *input,
			       const struct pic_engine_output *first, struct pic_engine_output *out,
			       struct pic_error *err)
{
	size_t needed = first->need_count < NEEDS_MAX ? first->need_count : NEEDS_MAX;
	PIC_FREE struct pic_engine_resolution *all =
		calloc(input->resolution_count + needed + 1, sizeof(*all));

	if (!all)
		return pic_error_set(err, -ENOMEM, "no memory for a plan");
	for (size_t i = 0; i < needed; i++)
		suppose(hub, input, &first->needs[i], &all[i]);
	if (input->resolution_count)
		memcpy(all + needed, input->resolutions, input->resolution_count * sizeof(*all));
	input->resolutions = all;
	input->resolution_count += needed;
	return pic_engine_reconcile(input, out, err);
}

/* Telling. */

static void add_problem(struct pic_json *problems, const char *space, const char *name,
			const struct pic_json *status)
{
	const struct pic_json *conditions = pic_json_get(status, "conditions");

	for (size_t i = 0; i < pic_json_count(conditions); i++) {
		const struct pic_json *one = pic_json_at(conditions, i);
		const char *type = pic_json_text_or(pic_json_get(one, "type"), "");
		const char *is = pic_json_text_or(pic_json_get(one, "status"), "");
		PIC_BUF struct pic_buf object = PIC_BUF_INIT(1024);

		if (strcmp(type, "Stalled") != 0 || strcmp(is, "True") != 0)
			continue;
		pic_buf_format(&object, "%s/%s", space, name);
		struct pic_json *problem = pic_json_new_object();
		pic_json_set_text(problem, "object", pic_buf_text(&object));
		pic_json_set_text(problem, "message",
				  pic_json_text_or(pic_json_get(one, "message"), ""));
		pic_json_append(problems, problem);
	}
}

static void mark_fetched(struct pic_json *changes, size_t from, const char *component)
{
	for (size_t i = from; i < pic_json_count(changes); i++) {
		struct pic_json *change = pic_json_at(changes, i);
		PIC_BUF struct pic_buf detail = PIC_BUF_INIT(2048);

		if (strcmp(pic_json_text_or(pic_json_get(change, "component"), ""), component) != 0)
			continue;
		pic_buf_format(&detail, "%s, its URL is fetched first",
			       pic_json_text_or(pic_json_get(change, "detail"), ""));
		pic_json_set_text(change, "detail", pic_buf_text(&detail));
	}
}

/* Without a device nobody has to let go: the catalog goes at once. */
static void tell_forgotten(const struct pic_world *world, const struct pic_engine_input *input,
			   const struct pic_engine_output *output, struct pic_json *changes)
{
	for (size_t i = 0; i < output->forget_count; i++) {
		const struct pic_object *before = pic_store_get(world->store, PIC_KIND_CATALOG,
								input->space, output->forget[i]);
		struct pic_engine_owner owner;

		if (before && pic_engine_catalog_owner(before, &owner))
			pic_plan_compare(before->json, NULL, owner.target, input->name, changes);
	}
}

static void tell(const struct pic_world *world, const struct pic_engine_input *input,
		 const struct pic_engine_output *first, const struct pic_engine_output *output,
		 struct pic_json *plan)
{
	struct pic_json *changes = pic_json_get(plan, "changes");
	const size_t from = pic_json_count(changes);

	for (size_t i = 0; i < output->catalog_count; i++) {
		const struct pic_json *after = output->catalogs[i].json;
		const char *name = pic_json_text(pic_json_find(after, "metadata", "name", NULL));
		const struct pic_object *before = pic_store_get(world->store, PIC_KIND_CATALOG,
								input->space, name ? name : "");

		pic_plan_compare(before ? before->json : NULL, after, output->catalogs[i].target,
				 input->name, changes);
	}
	tell_forgotten(world, input, output, changes);
	for (size_t i = 0; i < first->need_count; i++)
		mark_fetched(changes, from, first->needs[i].component);
	add_problem(pic_json_get(plan, "problems"), input->space, input->name, output->status);
}

static int look_at(struct pic_hub *hub, const struct pic_world *world, const char *space,
		   const char *name, struct pic_json *plan, struct pic_error *err)
{
	PIC_CLEANUP(pic_gathered_free) struct pic_gathered gathered = { .targets = NULL };
	PIC_CLEANUP(pic_engine_output_free) struct pic_engine_output first = { .catalogs = NULL };
	PIC_CLEANUP(pic_engine_output_free) struct pic_engine_output second = { .catalogs = NULL };
	int r = pic_world_gather(world, space, name, pic_clock_wall_ms(), &gathered, err);

	if (r == 0)
		r = pic_engine_reconcile(&gathered.input, &first, err);
	if (r < 0)
		return r;
	if (first.need_count == 0) {
		tell(world, &gathered.input, &first, &first, plan);
		return 0;
	}
	r = reconcile_supposing(hub, &gathered.input, &first, &second, err);
	if (r == 0)
		tell(world, &gathered.input, &first, &second, plan);
	return r;
}

/* Every instance could follow a target's or a solution's change, so each is looked at. */
static int look_at_all(struct pic_hub *hub, const struct pic_world *world, struct pic_json *plan,
		       struct pic_error *err)
{
	static const enum pic_kind kinds[] = { PIC_KIND_INSTANCE, PIC_KIND_TARGET };
	char name[PIC_OBJECT_NAME_MAX + 32];
	int r = 0;

	for (size_t k = 0; k < PIC_COUNT(kinds) && r == 0; k++) {
		PIC_FREE struct pic_object **list = NULL;
		size_t count = 0;

		r = pic_world_list(world, kinds[k], NULL, &list, &count, err);
		for (size_t i = 0; i < count && r == 0; i++) {
			snprintf(name, sizeof(name), "%s%s",
				 kinds[k] == PIC_KIND_TARGET ? PIC_ENGINE_RUNTIME_PREFIX : "",
				 list[i]->name);
			r = look_at(hub, world, list[i]->space, name, plan, err);
		}
	}
	return r;
}

int pic_plan_make(struct pic_hub *hub, const struct pic_json *objects, struct pic_json **out,
		  struct pic_error *err)
{
	PIC_CLEANUP(overlay_free) struct overlay overlay = { NULL, 0 };
	PIC_JSON struct pic_json *plan = pic_json_new_object();
	struct pic_world world = { .store = hub->store, .reports = pic_report_cache_new() };
	int r = world.reports ? make_overlay(hub, objects, &overlay, err)
			      : pic_error_set(err, -ENOMEM, "no memory for a plan");

	pic_json_set(plan, "changes", pic_json_new_array());
	pic_json_set(plan, "problems", pic_json_new_array());
	world.overlay = overlay.items;
	world.overlay_count = overlay.count;
	if (r == 0)
		r = look_at_all(hub, &world, plan, err);
	pic_report_cache_free(world.reports);
	if (r == 0)
		*out = PIC_STEAL(plan);
	return r;
}

void pic_admin_plan(struct pic_hub *hub, struct pic_exchange *exchange,
		    const struct pic_route_match *match)
{
	PIC_JSON struct pic_json *body = NULL;
	PIC_JSON struct pic_json *plan = NULL;
	struct pic_view text = pic_exchange_body(exchange);
	struct pic_error err = PIC_ERROR_INIT;

	(void)match;
	if (pic_json_parse(&body, text.data ? text.data : "", text.size, &err) < 0)
		pic_plain_refuse(exchange, 400, err.text);
	else if (pic_plan_make(hub, body, &plan, &err) < 0)
		pic_plain_refuse(exchange, pic_status_of_error(err.code), err.text);
	else
		pic_reply_json(exchange, 200, plan);
}
