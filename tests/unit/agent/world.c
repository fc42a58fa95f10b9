#include "agent/world_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[WORLD_NAMES + WORLD_FOREIGN][2] = {
	{ "shop", "till" }, { "shop", "lamp" }, { "shop", "door" }, { "shop", "radio" },
	{ "yard", "till" }, { "yard", "gate" }, { "yard", "cat" },  { "yard", "dog" },
	{ "other", "one" }, { "other", "two" },
};

static uint64_t next(struct world *world)
{
	world->random ^= world->random << 13;
	world->random ^= world->random >> 7;
	world->random ^= world->random << 17;
	return world->random * 0x2545F4914F6CDD1DULL;
}

uint64_t world_below(struct world *world, uint64_t bound)
{
	return (next(world) >> 11) % bound;
}

bool world_chance(struct world *world, unsigned percent)
{
	return world_below(world, 100) < percent;
}

void world_name_set(struct pic_workload_name *name, size_t index)
{
	memset(name, 0, sizeof(*name));
	snprintf(name->instance, sizeof(name->instance), "%s", names[index][0]);
	snprintf(name->component, sizeof(name->component), "%s", names[index][1]);
}

size_t world_name_index(const struct pic_workload_name *name)
{
	for (size_t i = 0; i < WORLD_NAMES + WORLD_FOREIGN; i++)
		if (strcmp(names[i][0], name->instance) == 0 &&
		    strcmp(names[i][1], name->component) == 0)
			return i;
	abort();
}

void world_digest_set(unsigned char out[PIC_DIGEST_SIZE], unsigned number)
{
	memset(out, 0, PIC_DIGEST_SIZE);
	out[0] = (unsigned char)number;
}

/* "What was asked for" of the model: digest and spec. */
void world_spec_set(unsigned char out[PIC_DIGEST_SIZE], unsigned digest, unsigned spec)
{
	memset(out, 0xee, PIC_DIGEST_SIZE);
	out[0] = (unsigned char)digest;
	out[1] = (unsigned char)spec;
}

struct pic_plan_entry *world_entry(struct world *world, const struct pic_workload_name *name)
{
	for (size_t i = 0; i < world->entry_count; i++)
		if (world_name_index(&world->entries[i].ledger.name) == world_name_index(name))
			return &world->entries[i];
	return NULL;
}

struct pic_plan_component *world_component(struct world *world,
					   const struct pic_workload_name *name)
{
	for (size_t i = 0; i < world->component_count; i++)
		if (world_name_index(&world->components[i].name) == world_name_index(name))
			return &world->components[i];
	return NULL;
}

struct pic_plan_artifact *world_artifact(struct world *world, unsigned digest)
{
	for (size_t i = 0; i < world->artifact_count; i++)
		if (world->artifacts[i].digest[0] == digest)
			return &world->artifacts[i];
	return NULL;
}

struct pic_plan_artifact *world_artifact_make(struct world *world, unsigned digest)
{
	struct pic_plan_artifact *artifact = world_artifact(world, digest);

	if (artifact)
		return artifact;
	artifact = &world->artifacts[world->artifact_count++];
	memset(artifact, 0, sizeof(*artifact));
	world_digest_set(artifact->digest, digest);
	return artifact;
}

bool world_entry_lives(const struct pic_plan_entry *entry)
{
	return entry && entry->ledger.state >= PIC_LEDGER_STARTING &&
	       entry->ledger.state <= PIC_LEDGER_STOPPING;
}

bool world_spec_equals(const struct pic_plan_entry *entry,
		       const struct pic_plan_component *component)
{
	return memcmp(entry->ledger.spec_digest, component->spec_digest, PIC_DIGEST_SIZE) == 0;
}

struct pic_binding *world_binding(struct world *world, const struct pic_workload_name *name,
				  unsigned approval)
{
	for (size_t i = 0; i < world->binding_count; i++)
		if (world->bindings[i].approval[0] == approval &&
		    world_name_index(&world->bindings[i].name) == world_name_index(name))
			return &world->bindings[i];
	return NULL;
}

bool world_as_wanted(const struct pic_plan_entry *entry, const struct pic_plan_component *component)
{
	bool bound = component->needs_permission && component->has_approval;

	return world_spec_equals(entry, component) &&
	       (!bound || entry->ledger.approval[0] == component->approval[0]);
}

bool world_is_permitted(struct world *world, const struct pic_plan_component *component)
{
	const struct pic_binding *binding =
		component->has_approval
			? world_binding(world, &component->name, component->approval[0])
			: NULL;

	if (!component->needs_permission)
		return true;
	return binding && binding->state == PIC_BINDING_OPEN && binding->end_boot_ms > world->now;
}

static struct pic_json *shared_properties(unsigned spec, unsigned restart, unsigned trouble,
					  bool needs)
{
	struct pic_json *properties = pic_json_new_object();

	pic_json_set_integer(properties, "spec", spec);
	pic_json_set_integer(properties, "restart", restart);
	pic_json_set_integer(properties, "trouble", trouble);
	pic_json_set_integer(properties, "needs", needs);
	return properties;
}

static void random_component(struct world *world, struct pic_document_component *out, size_t index,
			     int64_t revision)
{
	unsigned spec = (unsigned)world_below(world, SPEC_COUNT);
	unsigned restart = (unsigned)world_below(world, 3);
	size_t instance = index / 4;

	if (spec == SPEC_ENDS && restart == PIC_RESTART_ALWAYS)
		restart = PIC_RESTART_ON_FAILURE;
	world_name_set(&out->name, index);
	snprintf(out->type, sizeof(out->type), "wasm");
	out->revision = revision;
	out->has_digest = true;
	world_digest_set(out->digest, 1 + (unsigned)world_below(world, WORLD_DIGESTS - 1));
	out->properties = shared_properties(spec, restart, (unsigned)world_below(world, 12),
					    world_chance(world, 30));
	out->has_approval = world_chance(world, 80);
	out->approval[0] = 1 + (unsigned char)world_below(world, WORLD_APPROVALS);
	if (!world_chance(world, 30))
		return;
	out->dependency_count = 1 + world_below(world, WORLD_DEPENDENCIES);
	out->dependencies = calloc(out->dependency_count, sizeof(*out->dependencies));
	for (size_t i = 0; i < out->dependency_count; i++)
		snprintf(out->dependencies[i], sizeof(out->dependencies[i]), "%s",
			 names[instance * 4 + world_below(world, 4)][1]);
}

static struct pic_document *random_document(struct world *world)
{
	struct pic_document *document = calloc(1, sizeof(*document));
	unsigned fill = 20 + (unsigned)world_below(world, 60);

	document->components = calloc(WORLD_NAMES, sizeof(*document->components));
	document->removed = calloc(WORLD_NAMES, sizeof(*document->removed));
	snprintf(document->epoch, sizeof(document->epoch), "%s",
		 world_chance(world, 85)   ? "aa"
		 : world_chance(world, 50) ? "bb"
					   : "cc");
	snprintf(document->device, sizeof(document->device), "%s",
		 world_chance(world, 95) ? "box" : "tin");
	document->revision = 1 + (int64_t)world_below(world, 6);
	for (size_t i = 0; i < WORLD_NAMES; i++) {
		int64_t revision = 1 + (int64_t)world_below(world, (uint64_t)document->revision);

		if (world_chance(world, fill)) {
			random_component(world, &document->components[document->component_count++],
					 i, revision);
		} else if (world_chance(world, 40) && !world->file_mode) {
			world_name_set(&document->removed[document->removed_count].name, i);
			document->removed[document->removed_count++].revision = revision;
		}
	}
	return document;
}

static void build_component(struct world *world, const struct pic_document_component *from,
			    bool orphaned)
{
	size_t index = world->component_count++;
	struct pic_plan_component *to = &world->components[index];
	long long spec = 0, restart = 0, trouble = 0, needs = 0;

	pic_json_integer(pic_json_get(from->properties, "spec"), &spec);
	pic_json_integer(pic_json_get(from->properties, "restart"), &restart);
	pic_json_integer(pic_json_get(from->properties, "trouble"), &trouble);
	pic_json_integer(pic_json_get(from->properties, "needs"), &needs);
	memset(to, 0, sizeof(*to));
	to->needs_permission = needs;
	to->has_approval = from->has_approval;
	memcpy(to->approval, from->approval, PIC_APPROVAL_SIZE);
	to->name = from->name;
	snprintf(to->type, sizeof(to->type), "%s", from->type);
	to->orphaned = orphaned;
	to->has_digest = true;
	memcpy(to->digest, from->digest, PIC_DIGEST_SIZE);
	world_spec_set(to->spec_digest, from->digest[0], (unsigned)spec);
	to->restart = (enum pic_restart)restart;
	to->noted_start = -1;
	to->problem = trouble == 0 ? "its properties make no sense" : NULL;
	to->problem_reason = "InvalidProperties";
	to->refusal = trouble == 1 ? "policy does not allow it" : NULL;
	for (size_t i = 0; i < from->dependency_count; i++)
		memcpy(world->dependencies[index][i], from->dependencies[i], PIC_NAME_MAX + 1);
	to->dependencies = (const char(*)[PIC_NAME_MAX + 1]) world->dependencies[index];
	to->dependency_count = from->dependency_count;
}

static void inherit(struct world *world, const struct pic_plan_component *old, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct pic_plan_component *to = world_component(world, &old[i].name);

		if (!to || memcmp(to->spec_digest, old[i].spec_digest, PIC_DIGEST_SIZE) != 0)
			continue;
		to->ends = old[i].ends;
		to->noted_start = old[i].noted_start;
		to->verdict = old[i].verdict;
		to->verdict_text = old[i].verdict_text;
		to->failure = old[i].failure;
		to->retry_boot_ms = old[i].retry_boot_ms;
	}
}

void world_build(struct world *world)
{
	struct pic_plan_component old[2 * WORLD_NAMES];
	size_t count = world->component_count;

	memcpy(old, world->components, sizeof(old));
	world->component_count = 0;
	for (size_t i = 0; i < world->document->component_count; i++)
		build_component(world, &world->document->components[i], false);
	for (size_t i = 0; world->kept && i < world->kept->component_count; i++)
		build_component(world, &world->kept->components[i], true);
	inherit(world, old, count);
	for (size_t i = 0; i < world->document->removed_count; i++) {
		memset(&world->removed[i], 0, sizeof(world->removed[i]));
		world->removed[i].name = world->document->removed[i].name;
		world->removed[i].revision = world->document->removed[i].revision;
	}
}

/* The model's own opinion on whether the document is to be taken. */
static enum pic_accept expected(const struct world *world, const struct pic_document *document,
				const unsigned char digest[PIC_DIGEST_SIZE], bool confirmed_now)
{
	const struct pic_acceptance *have = &world->acceptance;
	bool known = strcmp(document->epoch, have->epoch) == 0;

	if (strcmp(document->device, "box") != 0)
		return PIC_ACCEPT_REFUSED;
	if (known && document->revision == have->revision && digest[0] == have->digest[0])
		return PIC_ACCEPT_SAME;
	if (known)
		return document->revision > have->revision ? PIC_ACCEPT_NEW : PIC_ACCEPT_REFUSED;
	return confirmed_now || strcmp(document->epoch, have->confirmed) == 0 ? PIC_ACCEPT_NEW
									      : PIC_ACCEPT_REFUSED;
}

static void remember_names(struct world *world, const struct pic_document *document)
{
	for (size_t i = 0; i < document->removed_count; i++)
		world->must_stay[world_name_index(&document->removed[i].name)] = false;
	for (size_t i = 0; i < document->component_count; i++)
		world->must_stay[world_name_index(&document->components[i].name)] = true;
	for (size_t i = 0; i < WORLD_NAMES; i++) {
		struct pic_workload_name name;

		world_name_set(&name, i);
		if (world->must_stay[i] && !world_component(world, &name))
			FAIL(world, "a component that was passed over in silence is forgotten");
	}
}

static void accept(struct world *world, struct pic_document *document,
		   const unsigned char digest[PIC_DIGEST_SIZE])
{
	struct pic_document *kept = NULL;

	if (!world->file_mode &&
	    pic_accept_kept(world->kept, world->document, document, world->broken, &kept, NULL) < 0)
		FAIL(world, "keeping what is not named fails");
	if (strcmp(world->acceptance.epoch, document->epoch) != 0)
		world->best_removed_through = 0;
	pic_document_free(world->document);
	pic_document_free(world->kept);
	world->document = document;
	world->kept = kept;
	memcpy(world->acceptance.epoch, document->epoch, sizeof(document->epoch));
	memcpy(world->acceptance.confirmed, document->epoch, sizeof(document->epoch));
	world->acceptance.revision = document->revision;
	memcpy(world->acceptance.digest, digest, PIC_DIGEST_SIZE);
	world_build(world);
	if (!world->file_mode)
		remember_names(world, document);
}

void world_offer(struct world *world)
{
	struct pic_document *document = random_document(world);
	unsigned char digest[PIC_DIGEST_SIZE];
	bool confirmed = world_chance(world, 20);
	struct pic_error err = PIC_ERROR_INIT;
	enum pic_accept verdict, right;

	world_digest_set(digest, 1 + (unsigned)world_below(world, 3));
	if (world->file_mode) {
		accept(world, document, digest);
		return;
	}
	right = expected(world, document, digest, confirmed);
	verdict = pic_accept_document(&world->acceptance, "box", document, digest, confirmed,
				      world->broken, &err);
	if (verdict != right)
		FAIL(world, "a document is taken that must not be, or the other way round");
	if (verdict == PIC_ACCEPT_REFUSED && !err.text[0])
		FAIL(world, "a document is refused without a word");
	if (verdict == PIC_ACCEPT_NEW)
		accept(world, document, digest);
	else
		pic_document_free(document);
}

static void random_entry(struct world *world, size_t index)
{
	struct pic_plan_entry *entry = &world->entries[world->entry_count++];
	unsigned digest = 1 + (unsigned)world_below(world, 4);
	unsigned state = (unsigned)world_below(world, 5);
	static const uint32_t states[] = { PIC_LEDGER_RUNNING, PIC_LEDGER_RUNNING,
					   PIC_LEDGER_STARTING, PIC_LEDGER_ENDED, PIC_LEDGER_HELD };

	memset(entry, 0, sizeof(*entry));
	world_name_set(&entry->ledger.name, index);
	snprintf(entry->ledger.type, sizeof(entry->ledger.type), "wasm");
	world_digest_set(entry->ledger.digest, digest);
	world_spec_set(entry->ledger.spec_digest, digest,
		       (unsigned)world_below(world, 2) * SPEC_SERVES_TOO);
	entry->ledger.state = states[state];
	entry->ledger.started_boot_ms = world->now - 5000;
	entry->ledger.ended_boot_ms = world->now - 1000;
	entry->ledger.end_kind = state == 3 ? PIC_END_SIGNAL : PIC_END_NONE;
	entry->ledger.end_value = state == 3 ? 9 : 0;
	world->logs[index] = true;
	world->stored[digest] = true;
	if (world_chance(world, 70))
		world_artifact_make(world, digest);
}

void world_begin(struct world *world, uint64_t seed, uint32_t broken)
{
	memset(world, 0, sizeof(*world));
	world->random = seed * 0x9E3779B97F4A7C15ULL + 1;
	world->broken = broken;
	world->now = 1000000;
	world->file_mode = world_chance(world, 15);
	snprintf(world->acceptance.confirmed, sizeof(world->acceptance.confirmed), "aa");
	for (size_t i = 0; i < WORLD_NAMES + WORLD_FOREIGN; i++)
		if (world_chance(world, 35))
			random_entry(world, i);
	for (unsigned digest = 1; digest < 5; digest++) {
		if (!world_chance(world, 20))
			continue;
		world->stored[digest] = true; /* left over from an earlier life */
		world_artifact_make(world, digest);
	}
}

void world_end(struct world *world)
{
	pic_document_free(world->document);
	pic_document_free(world->kept);
}
