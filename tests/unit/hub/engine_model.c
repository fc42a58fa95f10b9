#include "hub/engine_model.h"

#include "admission/ebpf_terms.h"

#include <stdio.h>

#define SHA_GIVEN "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

const char *const model_target_names[MODEL_TARGETS] = { "t", "t-t", "u" };
const char *const model_instance_names[MODEL_INSTANCES] = { "i", "i-t" };
static const char *const zones[] = { "", "a", "b" };

unsigned model_pick(struct model *model, unsigned below)
{
	return check_random(&model->random) % below;
}

static bool chance(struct model *model, unsigned percent)
{
	return model_pick(model, 100) < percent;
}

/* From the model to objects. */

static void put_target(struct model *model, int index)
{
	const struct model_target *target = &model->targets[index];
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(4096);

	pic_buf_format(&text, "{'metadata':{'name':'%s','uid':'t','generation':%d},'spec':{",
		       model_target_names[index], target->generation);
	if (target->zone)
		pic_buf_format(&text, "'properties':{'zone':'%s'}%s", zones[target->zone],
			       target->odd_roles ? "," : "");
	if (target->odd_roles)
		pic_buf_text_add(&text, "'topologies':[{'bindings':[{'role':'wasm',"
					"'provider':'providers.target.staging'}]}]");
	pic_buf_text_add(&text, "}}");
	world_put_text(&model->world, PIC_KIND_TARGET, pic_buf_text(&text));
}

static void write_component(const struct model_component *component, int index, const char *digest,
			    const char *approval, struct pic_buf *out)
{
	static const char *const types[] = { "wasm", "wasm", "docker", "odd", "ebpf" };
	static const char *const constraints[] = { "", "${{$equal($property(zone),a)}}",
						   "${{$equal($property(zone),b)}}",
						   "${{$nonsense(1)}}" };

	pic_buf_format(out, "{'name':'c%d','type':'%s'", index, types[component->bytes]);
	if (component->constraint)
		pic_buf_format(out, ",'constraints':'%s'", constraints[component->constraint]);
	pic_buf_format(out, ",'properties':{'v':'%d'", component->value);
	if (component->bytes == MODEL_URL)
		pic_buf_text_add(out, ",'wasm.url':'http://h/x'");
	if (component->bytes == MODEL_SHA || digest)
		pic_buf_format(out, ",'wasm.sha256':'%s'", digest ? digest : SHA_GIVEN);
	if (component->bytes == MODEL_KERNEL)
		pic_buf_text_add(out, ",'ebpf.sha256':'" SHA_GIVEN "'");
	pic_buf_text_add(out, "}");
	if (approval)
		pic_buf_format(out, ",'approval':{'id':'%s'}", approval);
	pic_buf_text_add(out, "}");
}

static void put_solution(struct model *model, int index)
{
	const struct model_solution *solution = &model->solutions[index];
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(8192);
	bool first = true;

	pic_buf_format(
		&text,
		"{'metadata':{'name':'s%d','uid':'s','generation':%d},'spec':{'components':[",
		index, solution->generation);
	for (int i = 0; i < MODEL_COMPONENTS; i++) {
		if (!solution->components[i].exists)
			continue;
		pic_buf_text_add(&text, first ? "" : ",");
		first = false;
		/* what a user writes there himself approves nothing */
		write_component(&solution->components[i], i, NULL,
				i == 0 ? "00000000000000000000000000000001" : NULL, &text);
	}
	pic_buf_text_add(&text, "]}}");
	world_put_text(&model->world, PIC_KIND_SOLUTION, pic_buf_text(&text));
}

/* The status stays: it is the engine's. */
static void put_instance(struct model *model, int index)
{
	const struct model_instance *instance = &model->instances[index];
	const struct pic_object *before =
		world_get(&model->world, PIC_KIND_INSTANCE, model_instance_names[index]);
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(4096);

	pic_buf_format(
		&text,
		"{'metadata':{'name':'%s','uid':'u%d','generation':%d},'spec':{'solution':'s%d'",
		model_instance_names[index], instance->uid, instance->generation,
		instance->solution);
	if (instance->target >= 0)
		pic_buf_format(&text, ",'target':{'name':'%s'}",
			       model_target_names[instance->target]);
	else
		pic_buf_format(&text, ",'target':{'selector':{'zone':'%s'}}",
			       instance->zone ? zones[instance->zone] : "*");
	pic_buf_format(&text, "%s}}", instance->inactive ? ",'activeState':'inactive'" : "");
	struct pic_json *json = sample_json(pic_buf_text(&text));

	if (before && pic_object_status(before))
		pic_json_set(json, "status", pic_json_ref(pic_object_status(before)));
	world_put(&model->world, PIC_KIND_INSTANCE, json);
}

/* The resolutions of one solution as the engine gets them. */
static void digest_of(int solution, int component, int generation, struct pic_sha256 *out)
{
	memset(out, 0x10 + solution * 16 + component, sizeof(*out));
	out->bytes[0] = (unsigned char)generation;
}

static void write_resolutions(struct model *model, int solution)
{
	static const char *const names[MODEL_COMPONENTS] = { "c0", "c1", "c2", "c3" };
	struct world *world = &model->world;

	world->resolution_count = 0;
	if (solution >= MODEL_SOLUTIONS)
		return;
	for (int i = 0; i < MODEL_COMPONENTS; i++) {
		const struct model_resolution *known = &model->resolutions[solution][i];
		struct pic_engine_resolution *out = &world->resolutions[world->resolution_count];

		if (!known->generation)
			continue;
		*out = (struct pic_engine_resolution){ .component = names[i],
						       .url = "http://h/x",
						       .generation = known->generation,
						       .failure = known->failed ? "away" : NULL };
		digest_of(solution, i, known->generation, &out->digest);
		world->resolution_count++;
	}
}

void model_reconcile(struct model *model, int instance)
{
	write_resolutions(model, model->instances[instance].solution);
	world_reconcile(&model->world, model_instance_names[instance]);
}

/* The rules, a second time. */

bool model_solution_exists(const struct model *model, int instance)
{
	int solution = model->instances[instance].solution;

	return solution < MODEL_SOLUTIONS && model->solutions[solution].exists;
}

bool model_matches(const struct model *model, int instance, int target)
{
	const struct model_instance *wish = &model->instances[instance];
	const struct model_target *place = &model->targets[target];

	if (!wish->exists || wish->inactive || !place->exists)
		return false;
	if (wish->target >= 0)
		return wish->target == target;
	return place->zone && (!wish->zone || wish->zone == place->zone);
}

static int64_t now_of(const struct model *model)
{
	return model->world.now_ms;
}

static bool is_open(const struct model *model, const struct model_approval *approval)
{
	return approval->exists && approval->phase == PIC_APPROVAL_APPROVED &&
	       approval->opens <= now_of(model) && now_of(model) < approval->ends;
}

static void id_text(int id, char out[PIC_APPROVAL_TEXT])
{
	snprintf(out, PIC_APPROVAL_TEXT, "%032x", (unsigned)id);
}

bool model_is_open(const struct model *model, const char *id)
{
	char text[PIC_APPROVAL_TEXT];

	for (int i = 0; i < MODEL_APPROVALS; i++) {
		id_text(model->approvals[i].id, text);
		if (is_open(model, &model->approvals[i]) && strcmp(text, id) == 0)
			return true;
	}
	return false;
}

/* The one that ends last, of two the older. */
static const struct model_approval *open_approval(const struct model *model, int instance,
						  int target, int component)
{
	const struct model_approval *best = NULL;

	for (int i = 0; i < MODEL_APPROVALS; i++) {
		const struct model_approval *one = &model->approvals[i];

		if (!is_open(model, one) || one->instance != instance || one->target != target ||
		    one->component != component || one->other_bytes)
			continue;
		if (!best || one->ends > best->ends ||
		    (one->ends == best->ends && one->id < best->id))
			best = one;
	}
	return best;
}

/* Without an open one: over, when one was open once and nobody is asked anew; stuck, when all were refused. */
static enum model_want wants_approval(const struct model *model, int instance, int target,
				      int component)
{
	bool over = false, refused = false, asked = false;

	if (open_approval(model, instance, target, component))
		return MODEL_WANTED;
	for (int i = 0; i < MODEL_APPROVALS; i++) {
		const struct model_approval *one = &model->approvals[i];

		if (!one->exists || one->instance != instance || one->target != target ||
		    one->component != component || one->other_bytes)
			continue;
		asked |= one->phase == PIC_APPROVAL_PENDING ||
			 (one->phase == PIC_APPROVAL_APPROVED && now_of(model) < one->opens);
		over |= one->phase == PIC_APPROVAL_REVOKED || one->phase == PIC_APPROVAL_ENDED ||
			(one->phase == PIC_APPROVAL_APPROVED && now_of(model) >= one->ends);
		refused |= one->phase == PIC_APPROVAL_REJECTED;
	}
	if (asked || (!over && !refused))
		return MODEL_HELD_WAITING;
	return over ? MODEL_HELD_OVER : MODEL_HELD_STUCK;
}

static enum model_want wants_bytes(const struct model *model, int solution, int component)
{
	const struct model_solution *all = &model->solutions[solution];
	const struct model_resolution *known = &model->resolutions[solution][component];

	switch (all->components[component].bytes) {
	case MODEL_SHA:
	case MODEL_NONE:
		return MODEL_WANTED;
	case MODEL_BAD_TYPE:
		return MODEL_HELD_STUCK;
	case MODEL_KERNEL:
	case MODEL_URL:
		break;
	}
	if (known->generation != all->generation)
		return MODEL_HELD_WAITING;
	return known->failed ? MODEL_HELD_STUCK : MODEL_WANTED;
}

enum model_want model_wants(const struct model *model, int instance, int target, int component)
{
	int solution = model->instances[instance].solution;
	const struct model_target *place = &model->targets[target];

	if (!model_solution_exists(model, instance) ||
	    !model->solutions[solution].components[component].exists)
		return MODEL_NOT_WANTED;
	const struct model_component *wish = &model->solutions[solution].components[component];

	if (wish->constraint == MODEL_BROKEN_CONSTRAINT)
		return MODEL_HELD_STUCK;
	if (wish->constraint != MODEL_ALWAYS && place->zone == 0)
		return MODEL_HELD_STUCK; /* the property it asks for is missing */
	if ((wish->constraint == MODEL_ZONE_A && place->zone != 1) ||
	    (wish->constraint == MODEL_ZONE_B && place->zone != 2))
		return MODEL_NOT_WANTED;
	if ((wish->bytes == MODEL_NONE || wish->bytes == MODEL_KERNEL) && place->odd_roles)
		return MODEL_HELD_STUCK;
	if (wish->bytes == MODEL_KERNEL)
		return wants_approval(model, instance, target, component);
	return wants_bytes(model, solution, component);
}

struct pic_json *model_staged(const struct model *model, int instance, int target, int component)
{
	int solution = model->instances[instance].solution;
	const struct model_component *wish = &model->solutions[solution].components[component];
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(4096);
	char digest[PIC_SHA256_TEXT];
	struct pic_sha256 sha256;

	digest_of(solution, component, model->solutions[solution].generation, &sha256);
	pic_sha256_text(&sha256, digest);
	const struct model_approval *approval =
		wish->bytes == MODEL_KERNEL ? open_approval(model, instance, target, component)
					    : NULL;
	char id[PIC_APPROVAL_TEXT] = "";

	if (approval)
		id_text(approval->id, id);
	write_component(wish, component, wish->bytes == MODEL_URL ? digest : NULL,
			approval ? id : NULL, &text);
	return sample_json(pic_buf_text(&text));
}

/* Changes. */

static void change_target(struct model *model)
{
	int index = (int)model_pick(model, MODEL_TARGETS);
	struct model_target *target = &model->targets[index];

	if (target->exists && chance(model, 20)) {
		target->exists = false;
		world_delete(&model->world, PIC_KIND_TARGET, model_target_names[index]);
		return;
	}
	target->exists = true;
	target->zone = (int)model_pick(model, 3);
	target->odd_roles = chance(model, 15);
	target->generation++;
	put_target(model, index);
}

static void change_component(struct model *model, struct model_component *component)
{
	if (component->exists && chance(model, 40)) {
		component->exists = false;
		return;
	}
	component->exists = true;
	component->value = (int)model_pick(model, 3);
	component->bytes = chance(model, 50)   ? MODEL_SHA
			   : chance(model, 40) ? MODEL_KERNEL
					       : (enum model_bytes)model_pick(model, 4);
	component->constraint = chance(model, 75) ? MODEL_ALWAYS
						  : (enum model_constraint)model_pick(model, 4);
}

static void change_solution(struct model *model)
{
	int index = (int)model_pick(model, MODEL_SOLUTIONS);
	struct model_solution *solution = &model->solutions[index];

	if (solution->exists && chance(model, 10)) {
		solution->exists = false;
		char name[16];

		snprintf(name, sizeof(name), "s%d", index);
		world_delete(&model->world, PIC_KIND_SOLUTION, name);
		return;
	}
	solution->exists = true;
	solution->generation++;
	for (unsigned i = 0; i <= model_pick(model, 3); i++)
		change_component(model, &solution->components[model_pick(model, MODEL_COMPONENTS)]);
	put_solution(model, index);
}

static void change_instance(struct model *model)
{
	int index = (int)model_pick(model, MODEL_INSTANCES);
	struct model_instance *instance = &model->instances[index];

	if (instance->exists && chance(model, 15)) {
		instance->exists = false;
		world_delete(&model->world, PIC_KIND_INSTANCE, model_instance_names[index]);
		return;
	}
	if (!instance->exists)
		instance->uid++;
	instance->exists = true;
	instance->generation++;
	instance->solution = chance(model, 95) ? (int)model_pick(model, MODEL_SOLUTIONS)
					       : MODEL_SOLUTIONS;
	instance->target = chance(model, 50) ? (int)model_pick(model, MODEL_TARGETS) : -1;
	instance->zone = (int)model_pick(model, 3);
	instance->inactive = chance(model, 8);
	put_instance(model, index);
}

static void change_enrolment(struct model *model)
{
	struct world_device *device =
		world_device(&model->world, model_target_names[model_pick(model, MODEL_TARGETS)]);

	device->enrolled = !device->enrolled;
	device->online = device->enrolled;
	pic_report_free(device->report);
	device->report = NULL;
}

static void change_resolution(struct model *model)
{
	int solution = (int)model_pick(model, MODEL_SOLUTIONS);
	struct model_resolution *known =
		&model->resolutions[solution][model_pick(model, MODEL_COMPONENTS)];

	known->generation = model->solutions[solution].generation;
	known->failed = chance(model, 25);
}

static void tell_approvals(struct model *model)
{
	struct world *world = &model->world;

	world->approval_count = 0;
	for (int i = 0; i < MODEL_APPROVALS; i++)
		if (model->approvals[i].exists)
			world->approvals[world->approval_count++] = &model->approvals[i].facts;
}

static void write_facts(const struct model_approval *approval, struct pic_approval_facts *out)
{
	PIC_JSON struct pic_json *properties = pic_json_new_object();
	struct pic_approval_item *item = &out->items[0];
	struct pic_ebpf_terms terms;
	char id[PIC_APPROVAL_TEXT];

	memset(out, 0, sizeof(*out));
	id_text(approval->id, id);
	pic_hex_decode(id, out->id, sizeof(out->id));
	out->phase = approval->phase;
	out->opens_ms = approval->opens;
	out->ends_ms = approval->ends;
	out->item_count = 1;
	strcpy(item->target, model_target_names[approval->target]);
	strcpy(item->name.instance, model_instance_names[approval->instance]);
	snprintf(item->name.component, sizeof(item->name.component), "c%d", approval->component);
	strcpy(item->type, "ebpf");
	memset(item->digest, approval->other_bytes ? 0xbb : 0xaa, sizeof(item->digest));
	assert_int_equal(pic_ebpf_terms_parse(properties, &terms, NULL), 0);
	pic_ebpf_terms_digest(&terms, item->terms);
}

/* More often than by chance it is about what there is. */
static void choose_subject(struct model *model, struct model_approval *approval)
{
	for (int tries = 0; tries < 20; tries++) {
		approval->instance = (int)model_pick(model, MODEL_INSTANCES);
		approval->target = (int)model_pick(model, MODEL_TARGETS);
		approval->component = (int)model_pick(model, MODEL_COMPONENTS);
		int solution = model->instances[approval->instance].solution;

		if (model_matches(model, approval->instance, approval->target) &&
		    model_solution_exists(model, approval->instance) &&
		    model->solutions[solution].components[approval->component].exists &&
		    model->solutions[solution].components[approval->component].bytes ==
			    MODEL_KERNEL)
			return;
	}
}

/* Somebody is asked, decides, takes it back. */
static void change_approval(struct model *model)
{
	struct model_approval *approval = &model->approvals[model_pick(model, MODEL_APPROVALS)];
	enum pic_approval_phase phase = approval->phase;

	if (!approval->exists || chance(model, 40) || phase > PIC_APPROVAL_APPROVED) {
		approval->exists = true;
		approval->id = ++model->last_approval;
		choose_subject(model, approval);
		approval->other_bytes = chance(model, 20);
		phase = chance(model, 70) ? PIC_APPROVAL_APPROVED : PIC_APPROVAL_PENDING;
	} else if (phase == PIC_APPROVAL_PENDING) {
		phase = chance(model, 60) ? PIC_APPROVAL_APPROVED : PIC_APPROVAL_REJECTED;
	} else {
		phase = chance(model, 50) ? PIC_APPROVAL_REVOKED : PIC_APPROVAL_ENDED;
	}
	if (phase == PIC_APPROVAL_APPROVED && approval->phase != phase) {
		approval->opens = now_of(model) + 1000 * (int64_t)model_pick(model, 50);
		approval->ends = approval->opens + 1 + 1000 * (int64_t)model_pick(model, 2000);
	}
	if (approval->ends == 0)
		approval->ends = 1;
	approval->phase = phase;
	write_facts(approval, &approval->facts);
	tell_approvals(model);
}

/* What is on this device by the catalogs: instance and component of each entry, listed or removed. */
static void report_entries(struct model *model, const char *target, int64_t revision, bool honest)
{
	struct world *world = &model->world;
	const struct pic_report *report = world_device(world, target)->report;

	for (size_t i = 0; i < world->count; i++) {
		struct pic_engine_owner owner;
		const struct pic_object *catalog = world->objects[i];

		if (catalog->kind != PIC_KIND_CATALOG ||
		    !pic_engine_catalog_owner(catalog, &owner) || strcmp(owner.target, target) != 0)
			continue;
		const struct pic_json *properties =
			pic_json_get(pic_object_spec(catalog), "properties");
		const struct pic_json *list = pic_json_get(properties, "components");

		for (size_t j = 0; j < pic_json_count(list) && report->component_count < 60; j++) {
			const char *name = pic_json_get_text(pic_json_at(list, j), "name");
			long long since = 0;

			pic_json_integer(pic_json_find(properties, "revisions", name, NULL),
					 &since);
			if (since > revision || (!honest && chance(model, 20)))
				continue;
			world_report_component(world, target, owner.instance, name,
					       honest || chance(model, 70)
						       ? PIC_PHASE_RUNNING
						       : (enum pic_phase)model_pick(model, 10));
		}
	}
}

static void change_report(struct model *model)
{
	const char *target = model_target_names[model_pick(model, MODEL_TARGETS)];
	struct world_device *device = world_device(&model->world, target);
	bool honest = chance(model, 50);
	int64_t revision = device->revision;

	if (!device->enrolled)
		return;
	if (revision > 0 && chance(model, 30))
		revision -= model_pick(model, 2);
	world_report(&model->world, target, revision,
		     chance(model, 60) ? revision
				       : (int64_t)model_pick(model, (unsigned)revision + 3));
	if (!honest && chance(model, 10))
		strcpy(device->report->epoch, chance(model, 50) ? "other" : "");
	report_entries(model, target, revision, honest);
	device->online = chance(model, 80);
}

/* What a user may do to catalogs: delete one, hide one, put one of his own. */
static void change_catalog(struct model *model)
{
	char name[32];

	snprintf(name, sizeof(name), "%s-%s",
		 model_instance_names[model_pick(model, MODEL_INSTANCES)],
		 model_target_names[model_pick(model, MODEL_TARGETS)]);
	const struct pic_object *catalog = world_get(&model->world, PIC_KIND_CATALOG, name);

	if (!catalog) {
		char text[256];

		snprintf(
			text, sizeof(text),
			"{'metadata':{'name':'%s'},'spec':{'type':'config','properties':{'mine':1}}}",
			name);
		world_put_text(&model->world, PIC_KIND_CATALOG, text);
	} else if (chance(model, 60)) {
		world_delete(&model->world, PIC_KIND_CATALOG, name);
	} else {
		struct pic_json *json = pic_json_copy(catalog->json);

		pic_json_set_text(pic_json_ensure_object(pic_json_get(json, "metadata"),
							 "annotations"),
				  PIC_ENGINE_HIDDEN, "true");
		world_put(&model->world, PIC_KIND_CATALOG, json);
	}
}

void model_change(struct model *model, const char **what)
{
	static const struct {
		unsigned weight;
		const char *name;
		void (*change)(struct model *model);
	} changes[] = {
		{ 14, "target", change_target },	{ 20, "solution", change_solution },
		{ 14, "instance", change_instance },	{ 6, "enrolment", change_enrolment },
		{ 6, "resolution", change_resolution }, { 22, "report", change_report },
		{ 12, "approval", change_approval },	{ 6, "catalog", change_catalog },
	};
	unsigned at = model_pick(model, 100), i = 0;

	while (at >= changes[i].weight)
		at -= changes[i++].weight;
	model->world.now_ms += 1000 * (int64_t)model_pick(model, 100);
	*what = changes[i].name;
	changes[i].change(model);
}

void model_devices_obey(struct model *model)
{
	for (int i = 0; i < MODEL_TARGETS; i++) {
		const char *target = model_target_names[i];
		struct world_device *device = world_device(&model->world, target);

		if (!device->enrolled)
			continue;
		world_report(&model->world, target, device->revision, device->revision);
		report_entries(model, target, device->revision, true);
	}
}

void model_delete_instances(struct model *model)
{
	for (int i = 0; i < MODEL_INSTANCES; i++) {
		model->instances[i].exists = false;
		world_delete(&model->world, PIC_KIND_INSTANCE, model_instance_names[i]);
	}
}

void model_begin(struct model *model, uint64_t seed, uint32_t broken)
{
	*model = (struct model){ .random = seed * 0x9e3779b97f4a7c15u + 1 };
	model->world.broken = broken;
	model->world.now_ms = 1795528800000;
	for (int i = 0; i < MODEL_TARGETS; i++) {
		struct world_device *device = world_device(&model->world, model_target_names[i]);

		device->enrolled = device->online = chance(model, 70);
	}
	for (int i = 0; i < 8; i++)
		check_random(&model->random);
	for (int i = 0; i < 12; i++) {
		change_target(model);
		change_solution(model);
	}
}

void model_end(struct model *model)
{
	world_free(&model->world);
}
