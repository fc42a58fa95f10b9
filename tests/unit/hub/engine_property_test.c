/*
 * Properties of the engine over random worlds. A case is one random change of a world, after which every
 * instance is reconciled until nothing is written any more; between before and after stand the rules of
 * engine.h, checked against a model of their own. Each rule is then broken on purpose, and somebody has
 * to notice.
 */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "hub/engine_model.h"

#if defined(__SANITIZE_ADDRESS__)
#define CASES 25000 /* ten times slower; the whole number runs without sanitizers */
#else
#define CASES 100000
#endif
#define STEPS 25 /* changes of one world */
#define ROUNDS 4

/* A broken property: the sentence; everything returns "" when all is well. */
static char fault[512];

static const char *broke(const char *format, ...) __attribute__((format(printf, 1, 2)));
static const char *broke(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(fault, sizeof(fault), format, arguments);
	va_end(arguments);
	return fault;
}

/* How often what was seen: a world in which nothing happens would keep every rule. */
static struct {
	size_t catalogs, removals, terminating, forgotten, ready, under_way, stalled, taken, held;
	size_t approved; /* kernel programs staged */
} seen;

/* The objects and devices of a moment; shared with the world. */
struct moment {
	struct pic_object *objects[WORLD_MAX];
	size_t count;
	int64_t revisions[MODEL_TARGETS];
};

static void moment_take(const struct world *world, struct moment *out)
{
	out->count = world->count;
	for (size_t i = 0; i < world->count; i++)
		out->objects[i] = pic_object_ref(world->objects[i]);
	for (int i = 0; i < MODEL_TARGETS; i++)
		out->revisions[i] = world->devices[i].revision;
}

static void moment_free(struct moment *moment)
{
	for (size_t i = 0; i < moment->count; i++)
		pic_object_unref(moment->objects[i]);
}

static const struct pic_object *moment_get(const struct moment *moment, enum pic_kind kind,
					   const char *name)
{
	for (size_t i = 0; i < moment->count; i++)
		if (moment->objects[i]->kind == kind && strcmp(moment->objects[i]->name, name) == 0)
			return moment->objects[i];
	return NULL;
}

static const struct pic_json *part(const struct pic_object *catalog, const char *key)
{
	return pic_json_find(pic_object_spec(catalog), "properties", key, NULL);
}

static const struct pic_json *find(const struct pic_object *catalog, const char *list,
				   const char *name)
{
	const struct pic_json *array = part(catalog, list);

	for (size_t i = 0; i < pic_json_count(array); i++)
		if (strcmp(pic_json_get_text(pic_json_at(array, i), "name"), name) == 0)
			return pic_json_at(array, i);
	return NULL;
}

static int64_t revision_of(const struct pic_object *catalog, const char *name)
{
	long long revision = 0;

	pic_json_integer(pic_json_get(part(catalog, "revisions"), name), &revision);
	return revision;
}

static bool is_kernels(const struct pic_json *entry)
{
	return strcmp(pic_json_text_or(pic_json_get(entry, "type"), ""), "ebpf") == 0;
}

static bool is_approved(const struct model *model, const struct pic_json *entry)
{
	return model_is_open(model,
			     pic_json_text_or(pic_json_find(entry, "approval", "id", NULL), ""));
}

/* One catalog for itself. */
static const char *check_lists(const struct model *model, const struct pic_object *catalog)
{
	const struct pic_json *components = part(catalog, "components");
	const struct pic_json *removed = part(catalog, "removed-components");
	size_t count = pic_json_count(components) + pic_json_count(removed);

	if (count == 0)
		return broke("%s: empty and still there", catalog->name);
	for (size_t i = 0; i < count; i++) {
		bool first = i < pic_json_count(components);
		const struct pic_json *entry =
			first ? pic_json_at(components, i)
			      : pic_json_at(removed, i - pic_json_count(components));
		const char *name = pic_json_get_text(entry, "name");

		if (find(catalog, first ? "components" : "removed-components", name) != entry)
			return broke("%s: %s is twice in a list", catalog->name, name);
		if (first && find(catalog, "removed-components", name))
			return broke("%s: %s is in both lists", catalog->name, name);
		if (revision_of(catalog, name) <= 0)
			return broke("%s: %s has no revision", catalog->name, name);
		if (first && is_kernels(entry) && !is_approved(model, entry))
			return broke("%s: %s is staged without an open approval", catalog->name,
				     name);
		seen.approved += first && is_kernels(entry);
	}
	if (pic_json_count(part(catalog, "revisions")) != count)
		return broke("%s: revisions of more than there is", catalog->name);
	if (!pic_json_equal(components, pic_json_get(part(catalog, "staged"), "components")) ||
	    !pic_json_equal(removed, pic_json_get(part(catalog, "staged"), "removed-components")))
		return broke("%s: the later era's lists differ", catalog->name);
	return "";
}

static const struct pic_object *own_catalog(const struct model *model, int instance, int target)
{
	char name[32];
	struct pic_engine_owner owner;

	snprintf(name, sizeof(name), "%s-%s", model_instance_names[instance],
		 model_target_names[target]);
	const struct pic_object *catalog = world_get(&model->world, PIC_KIND_CATALOG, name);

	if (!catalog || !pic_engine_catalog_owner(catalog, &owner) ||
	    strcmp(owner.instance, model_instance_names[instance]) != 0)
		return NULL;
	return catalog;
}

/* Whether somebody else has the catalog's name. */
static bool is_taken(const struct model *model, int instance, int target)
{
	char name[32];

	snprintf(name, sizeof(name), "%s-%s", model_instance_names[instance],
		 model_target_names[target]);
	return world_get(&model->world, PIC_KIND_CATALOG, name) &&
	       !own_catalog(model, instance, target);
}

/* What should be staged is, as it is described; what should not be is not. */
static const char *check_wanted(const struct model *model, int instance, int target)
{
	const struct pic_object *catalog = own_catalog(model, instance, target);

	for (int i = 0; i < MODEL_COMPONENTS; i++) {
		char name[16];
		enum model_want want = model_wants(model, instance, target, i);

		snprintf(name, sizeof(name), "c%d", i);
		const struct pic_json *staged = catalog ? find(catalog, "components", name) : NULL;

		seen.held += want == MODEL_HELD_STUCK || want == MODEL_HELD_WAITING;
		if (want == MODEL_NOT_WANTED && staged)
			return broke("%s on %s: %s is staged and not wanted",
				     model_instance_names[instance], model_target_names[target],
				     name);
		if (want != MODEL_WANTED)
			continue;
		PIC_JSON struct pic_json *wanted = model_staged(model, instance, target, i);

		if (!staged || !pic_json_equal(staged, wanted))
			return broke("%s on %s: %s is not staged as it is described",
				     model_instance_names[instance], model_target_names[target],
				     name);
	}
	return "";
}

static const char *check_state(const struct model *model)
{
	for (size_t i = 0; i < model->world.count; i++) {
		const struct pic_object *catalog = model->world.objects[i];
		struct pic_engine_owner owner;

		if (catalog->kind != PIC_KIND_CATALOG || !pic_engine_catalog_owner(catalog, &owner))
			continue;
		const char *wrong = check_lists(model, catalog);

		seen.catalogs++;
		seen.removals += pic_json_count(part(catalog, "removed-components")) > 0;
		seen.terminating += catalog->terminating;
		if (*wrong)
			return wrong;
	}
	for (int i = 0; i < MODEL_INSTANCES; i++) {
		for (int j = 0; j < MODEL_TARGETS; j++) {
			const struct pic_object *catalog = own_catalog(model, i, j);
			bool matches = model_matches(model, i, j);
			const char *wrong = "";

			if (matches && model_solution_exists(model, i) && !is_taken(model, i, j))
				wrong = check_wanted(model, i, j);
			if (*wrong)
				return wrong;
			if (catalog && catalog->terminating == matches)
				return broke("%s: terminating and wanted do not go together",
					     catalog->name);
			if (catalog && !matches && pic_json_count(part(catalog, "components")) > 0)
				return broke("%s: not wanted and still lists components",
					     catalog->name);
			if (catalog && matches && pic_object_annotation(catalog, PIC_ENGINE_HIDDEN))
				return broke("%s: wanted and hidden", catalog->name);
		}
	}
	return "";
}

/* Ready, by the model. */
static bool part_is_ready(const struct model *model, int instance, int target,
			  const char *component, int64_t revision)
{
	const struct world_device *device = &model->world.devices[target];
	const struct pic_report *report = device->enrolled ? device->report : NULL;

	if (!report || strcmp(report->epoch, "e") != 0 || report->revision < revision)
		return false;
	for (size_t i = 0; i < report->component_count; i++) {
		const struct pic_report_component *said = &report->components[i];

		if (strcmp(said->name.instance, model_instance_names[instance]) == 0 &&
		    strcmp(said->name.component, component) == 0)
			return said->phase == PIC_PHASE_RUNNING ||
			       said->phase == PIC_PHASE_FINISHED;
	}
	return false;
}

static bool target_is_ready(const struct model *model, int instance, int target)
{
	const struct pic_object *catalog = own_catalog(model, instance, target);

	if (is_taken(model, instance, target)) {
		seen.taken++;
		return false;
	}
	if (pic_json_count(part(catalog, "removed-components")) > 0)
		return false;
	for (int i = 0; i < MODEL_COMPONENTS; i++) {
		char name[16];
		enum model_want want = model_wants(model, instance, target, i);

		snprintf(name, sizeof(name), "c%d", i);
		if (want == MODEL_NOT_WANTED)
			continue;
		if (want != MODEL_WANTED ||
		    !part_is_ready(model, instance, target, name, revision_of(catalog, name)))
			return false;
	}
	return true;
}

static bool should_be_ready(const struct model *model, int instance)
{
	bool matched = false, ready = true;

	if (!model_solution_exists(model, instance))
		return false;
	for (int i = 0; i < MODEL_TARGETS; i++) {
		if (!model_matches(model, instance, i))
			continue;
		matched = true;
		ready &= target_is_ready(model, instance, i);
	}
	return ready && (matched || model->instances[instance].inactive);
}

static const struct pic_json *condition(const struct pic_object *instance, const char *type)
{
	const struct pic_json *list = pic_json_get(pic_object_status(instance), "conditions");

	for (size_t i = 0; i < pic_json_count(list); i++)
		if (strcmp(pic_json_get_text(pic_json_at(list, i), "type"), type) == 0)
			return pic_json_at(list, i);
	return NULL;
}

static bool is_true(const struct pic_object *instance, const char *type)
{
	return strcmp(pic_json_text_or(pic_json_get(condition(instance, type), "status"), ""),
		      "True") == 0;
}

static const char *check_status(const struct model *model)
{
	for (int i = 0; i < MODEL_INSTANCES; i++) {
		const char *name = model_instance_names[i];
		const struct pic_object *instance =
			world_get(&model->world, PIC_KIND_INSTANCE, name);
		long long observed = 0;

		if (!instance)
			continue;
		bool ready = is_true(instance, "Ready");

		seen.ready += ready;
		seen.under_way += is_true(instance, "Reconciling");
		seen.stalled += is_true(instance, "Stalled");
		if (ready != should_be_ready(model, i))
			return broke("%s: Ready is %d", name, ready);
		if (ready + is_true(instance, "Reconciling") + is_true(instance, "Stalled") != 1)
			return broke("%s: not exactly one condition is True", name);
		if (!model_solution_exists(model, i) && !is_true(instance, "Stalled"))
			return broke("%s: no solution and not stalled", name);
		pic_json_integer(pic_json_get(pic_object_status(instance), "observedGeneration"),
				 &observed);
		if (observed != instance->generation)
			return broke("%s: observedGeneration is behind", name);
	}
	return "";
}

/* From one moment to the next. */

static int target_number(const char *name)
{
	for (int i = 0; i < MODEL_TARGETS; i++)
		if (strcmp(model_target_names[i], name) == 0)
			return i;
	return -1;
}

static int instance_number(const char *name)
{
	for (int i = 0; i < MODEL_INSTANCES; i++)
		if (strcmp(model_instance_names[i], name) == 0)
			return i;
	return -1;
}

static bool may_forget(const struct model *model, int target, int64_t revision)
{
	const struct world_device *device = &model->world.devices[target];

	return !device->enrolled || (device->report && device->report->removed_through >= revision);
}

/* Whether a staged component had a reason to leave. */
static bool may_leave(const struct model *model, int instance, int target, const char *component)
{
	if (!model_matches(model, instance, target))
		return true;
	return model_solution_exists(model, instance) &&
	       model_wants(model, instance, target, component[1] - '0') == MODEL_NOT_WANTED;
}

static const char *check_entry(const struct model *model, const struct moment *before, int instance,
			       int target, const struct pic_object *old,
			       const struct pic_object *new, const char *name)
{
	bool was_listed = find(old, "components", name) != NULL;
	const struct pic_json *listed = new ? find(new, "components", name) : NULL;
	const struct pic_json *removed = new ? find(new, "removed-components", name) : NULL;
	int64_t revision = revision_of(old, name), now = new ? revision_of(new, name) : 0;

	const struct pic_json *entry = find(old, "components", name);
	bool over = was_listed && is_kernels(entry) && !is_approved(model, entry);

	if (was_listed && !listed && !over && !may_leave(model, instance, target, name))
		return broke("%s: %s left without a reason", old->name, name);
	if (was_listed && !listed && !removed &&
	    !may_forget(model, target, before->revisions[target] + 1))
		return broke("%s: %s left without being listed as removed", old->name, name);
	if (!was_listed && !listed && !removed && !may_forget(model, target, revision))
		return broke("%s: %s was forgotten before the device let go", old->name, name);
	bool same =
		(was_listed && listed && pic_json_equal(find(old, "components", name), listed)) ||
		(!was_listed && removed);

	if (same && now != revision)
		return broke("%s: %s has a new revision for nothing", old->name, name);
	/* without a device there is no document whose revision could be passed */
	int64_t least = model->world.devices[target].enrolled ? before->revisions[target]
							      : revision;

	if (!same && (listed || removed) && now <= least)
		return broke("%s: %s changed and its revision %" PRId64 " is not new", old->name,
			     name, now);
	return "";
}

static const char *check_catalog_change(const struct model *model, const struct moment *before,
					const struct pic_object *old)
{
	static const char *const lists[] = { "components", "removed-components" };
	struct pic_engine_owner owner, later;
	const struct pic_object *new = world_get(&model->world, PIC_KIND_CATALOG, old->name);
	const char *wrong = "";

	if (!pic_engine_catalog_owner(old, &owner)) {
		if (!new || !pic_json_equal(old->json, new->json))
			return broke("%s: foreign and touched", old->name);
		return "";
	}
	/* the name may have become free and been taken by the other one in the same turn */
	if (new &&
	    (!pic_engine_catalog_owner(new, &later) || strcmp(owner.instance, later.instance) != 0))
		new = NULL;
	for (size_t i = 0; i < 2 && !*wrong; i++) {
		const struct pic_json *list = part(old, lists[i]);

		for (size_t j = 0; j < pic_json_count(list) && !*wrong; j++)
			wrong = check_entry(model, before, instance_number(owner.instance),
					    target_number(owner.target), old, new,
					    pic_json_get_text(pic_json_at(list, j), "name"));
	}
	return wrong;
}

static const char *check_times(const struct moment *before, const struct pic_object *instance)
{
	static const char *const types[] = { "Ready", "Reconciling", "Stalled" };
	const struct pic_object *old = moment_get(before, PIC_KIND_INSTANCE, instance->name);

	for (size_t i = 0; old && i < PIC_COUNT(types); i++) {
		const struct pic_json *was = condition(old, types[i]);

		if (was && is_true(old, types[i]) == is_true(instance, types[i]) &&
		    !pic_json_equal(pic_json_get(was, "lastTransitionTime"),
				    pic_json_get(condition(instance, types[i]),
						 "lastTransitionTime")))
			return broke("%s: the time of %s moved and its status did not",
				     instance->name, types[i]);
	}
	return "";
}

static const char *check_change(const struct model *model, const struct moment *before)
{
	const char *wrong = "";

	for (int i = 0; i < MODEL_TARGETS; i++)
		if (model->world.devices[i].revision < before->revisions[i])
			return broke("the revision of %s went back", model_target_names[i]);
	for (size_t i = 0; i < before->count && !*wrong; i++)
		if (before->objects[i]->kind == PIC_KIND_CATALOG)
			wrong = check_catalog_change(model, before, before->objects[i]);
	return wrong;
}

/* A device's document is the union of its catalogs. */
static const char *check_document(const struct model *model, int target)
{
	const struct world *world = &model->world;
	const struct pic_object *catalogs[WORLD_MAX];
	const struct pic_engine_device device = { .target = model_target_names[target],
						  .epoch = "0123456789abcdef0123456789abcdef",
						  .revision = world->devices[target].revision };
	struct pic_document *document = NULL;
	struct pic_error err = PIC_ERROR_INIT;
	size_t count = 0, listed = 0, removed = 0;
	const char *wrong = "";

	for (size_t i = 0; i < world->count; i++) {
		struct pic_engine_owner owner;

		if (world->objects[i]->kind != PIC_KIND_CATALOG)
			continue;
		catalogs[count++] = world->objects[i];
		if (!pic_engine_catalog_owner(world->objects[i], &owner) ||
		    strcmp(owner.target, device.target) != 0)
			continue;
		listed += pic_json_count(part(world->objects[i], "components"));
		removed += pic_json_count(part(world->objects[i], "removed-components"));
	}
	if (pic_engine_document(&device, "https://h", catalogs, count, 0, &document, &err) < 0)
		return broke("no document of %s: %s", device.target, err.text);
	if (document->component_count != listed || document->removed_count != removed)
		wrong = broke("the document of %s is not the union of its catalogs", device.target);
	if (document->revision != device.revision)
		wrong = broke("the document of %s has another revision than its device",
			      device.target);
	for (size_t i = 1; i < document->component_count && !*wrong; i++)
		if (pic_workload_name_compare(&document->components[i - 1].name,
					      &document->components[i].name) >= 0)
			wrong = broke("the document of %s is not sorted or has a name twice",
				      device.target);
	pic_document_free(document);
	return wrong;
}

/* Reconciling one instance leaves everything that is not its own as it is. */
static const char *reconcile_alone(struct model *model, int instance)
{
	struct moment before;
	const char *wrong = "";

	moment_take(&model->world, &before);
	model_reconcile(model, instance);
	for (size_t i = 0; i < before.count && !*wrong; i++) {
		const struct pic_object *old = before.objects[i];
		const struct pic_object *new = world_get(&model->world, old->kind, old->name);
		struct pic_engine_owner owner;
		bool own =
			(old->kind == PIC_KIND_INSTANCE &&
			 strcmp(old->name, model_instance_names[instance]) == 0) ||
			(old->kind == PIC_KIND_CATALOG && pic_engine_catalog_owner(old, &owner) &&
			 strcmp(owner.instance, model_instance_names[instance]) == 0);

		if (!own && new != old)
			wrong = broke("%s: touched while %s was reconciled", old->name,
				      model_instance_names[instance]);
	}
	for (size_t i = 0; i < model->world.count && !*wrong; i++)
		if (model->world.objects[i]->kind == PIC_KIND_INSTANCE)
			wrong = check_times(&before, model->world.objects[i]);
	moment_free(&before);
	return wrong;
}

static const char *settle(struct model *model)
{
	const char *wrong = "";

	for (int round = 0; round < ROUNDS; round++) {
		size_t writes = 0;

		for (int i = 0; i < MODEL_INSTANCES && !*wrong; i++) {
			wrong = reconcile_alone(model, i);
			writes += model->world.writes;
			seen.forgotten += model->world.last.forget_count;
		}
		if (*wrong || writes == 0)
			return wrong;
	}
	return broke("it does not come to rest");
}

static const char *one_case(struct model *model, const char **what)
{
	struct moment before;

	model_change(model, what);
	moment_take(&model->world, &before);
	const char *wrong = settle(model);

	if (!*wrong)
		wrong = check_state(model);
	if (!*wrong)
		wrong = check_change(model, &before);
	if (!*wrong)
		wrong = check_status(model);
	for (int i = 0; i < MODEL_TARGETS && !*wrong; i++)
		wrong = check_document(model, i);
	moment_free(&before);
	return wrong;
}

/* When devices do what they are told, everything is ready or stalled, and nothing is left at the end. */
static const char *check_end(struct model *model)
{
	const char *wrong = "";

	for (int i = 0; i < 3 && !*wrong; i++) {
		model_devices_obey(model);
		wrong = settle(model);
	}
	if (*wrong)
		return wrong;
	wrong = check_status(model);
	model_delete_instances(model);
	for (int i = 0; i < 3 && !*wrong; i++) {
		wrong = settle(model);
		model_devices_obey(model);
	}
	if (!*wrong)
		wrong = settle(model);
	for (size_t i = 0; i < model->world.count && !*wrong; i++) {
		struct pic_engine_owner owner;

		if (model->world.objects[i]->kind == PIC_KIND_CATALOG &&
		    pic_engine_catalog_owner(model->world.objects[i], &owner))
			wrong = broke("%s: left over at the end", model->world.objects[i]->name);
	}
	return wrong;
}

/* Runs so many cases; "" or the first fault. */
static const char *run(int cases, uint32_t broken, uint64_t seed)
{
	for (int done = 0; done < cases; seed++) {
		struct model model;
		const char *wrong = "", *what = "";

		model_begin(&model, seed, broken);
		for (int step = 0; step < STEPS && !*wrong; step++, done++)
			wrong = one_case(&model, &what);
		if (!*wrong) {
			what = "the end";
			wrong = check_end(&model);
		}
		model_end(&model);
		if (*wrong) {
			size_t size = strlen(fault);

			snprintf(fault + size, sizeof(fault) - size,
				 " (world %" PRIu64 ", after a change of %s)", seed, what);
			return fault;
		}
	}
	return "";
}

static void the_rules_hold(void **state)
{
	memset(&seen, 0, sizeof(seen));
	const char *wrong = run(CASES, 0, 1);

	if (*wrong)
		fail_msg("%s", wrong);
	print_message(
		"%d random changes, every rule held; seen: %zu staged catalogs, %zu with removals, "
		"%zu terminating, %zu forgotten; instances ready %zu, under way %zu, stalled %zu; "
		"%zu names taken, %zu components held back\n",
		CASES, seen.catalogs, seen.removals, seen.terminating, seen.forgotten, seen.ready,
		seen.under_way, seen.stalled, seen.taken, seen.held);
	assert_true(seen.catalogs > CASES / 4 && seen.removals > CASES / 20);
	assert_true(seen.terminating > CASES / 50 && seen.forgotten > CASES / 50);
	assert_true(seen.ready > CASES / 50 && seen.under_way > CASES / 20);
	assert_true(seen.stalled > CASES / 20 && seen.taken > CASES / 1000);
	assert_true(seen.held > CASES / 20 && seen.approved > CASES / 100);
}

static void each_rule_is_needed(void **state)
{
	for (int i = 0; i < PIC_ENGINE_RULE_COUNT; i++) {
		const char *wrong = run(20000, 1u << i, 1);

		if (!*wrong)
			fail_msg("rule %d was broken and nobody noticed", i);
		print_message("rule %2d broken: %s\n", i, wrong);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_rules_hold),
		cmocka_unit_test(each_rule_is_needed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
