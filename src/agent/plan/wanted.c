#include "agent/plan/wanted.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "admission/policy.h"
#include "crypto/digest.h"
#include "workload/driver.h"
#include "workload/spec_digest.h"

#define PROPERTIES_MAX (256 * 1024)
#define RETRY_FIRST_MS 1000
#define RETRY_LONGEST_MS (5 * 60 * 1000)

static void source_clear(struct pic_wanted_source *source)
{
	free(source->url);
	free(source->properties);
	free(source->problem);
	free(source->refusal);
	free(source->failure);
	free(source->verdict);
	free(source->ticket_refusal);
}

void pic_wanted_clear(struct pic_wanted *wanted)
{
	for (size_t i = 0; i < wanted->count; i++) {
		source_clear(&wanted->sources[i]);
		free((void *)wanted->components[i].dependencies);
	}
	free(wanted->components);
	free(wanted->sources);
	free(wanted->removed);
	memset(wanted, 0, sizeof(*wanted));
}

/* Says why it cannot run. Without memory for the sentence a constant one must do. */
static void set_problem(struct pic_wanted *wanted, size_t index, const char *reason,
			const char *text)
{
	struct pic_wanted_source *source = &wanted->sources[index];

	free(source->problem);
	source->problem = strdup(text);
	wanted->components[index].problem = source->problem ? source->problem : "no memory";
	wanted->components[index].problem_reason = reason;
}

/* "wasm.url" for the type wasm; the document's own field wins. */
static const char *property(const struct pic_document_component *component, const char *name)
{
	char key[PIC_TYPE_MAX + 32];

	snprintf(key, sizeof(key), "%s.%s", component->type, name);
	return pic_json_get_text(component->properties, key);
}

static enum pic_restart restart_of(const struct pic_document_component *component)
{
	const char *word = property(component, "restart");

	if (word && strcmp(word, "on-failure") == 0)
		return PIC_RESTART_ON_FAILURE;
	if (word && strcmp(word, "never") == 0)
		return PIC_RESTART_NEVER;
	return PIC_RESTART_ALWAYS;
}

static int copy_dependencies(const struct pic_document_component *from,
			     struct pic_plan_component *to)
{
	size_t size = from->dependency_count * sizeof(*from->dependencies);
	void *copy;

	if (size == 0)
		return 0;
	copy = malloc(size);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, from->dependencies, size);
	to->dependencies = copy;
	to->dependency_count = from->dependency_count;
	return 0;
}

static int copy_source(const struct pic_document_component *from, struct pic_wanted_source *to)
{
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(PROPERTIES_MAX);
	const char *url = from->url ? from->url : property(from, "url");
	int r = pic_json_write(from->properties, PIC_JSON_COMPACT, &text);

	if (r < 0)
		return r;
	to->properties = pic_buf_take(&text);
	to->url = url ? strdup(url) : NULL;
	return to->properties && (!url || to->url) ? 0 : -ENOMEM;
}

static void find_digest(const struct pic_document_component *from, struct pic_plan_component *to)
{
	const char *text = property(from, "sha256");
	struct pic_sha256 digest;

	to->has_digest = from->has_digest;
	memcpy(to->digest, from->digest, PIC_DIGEST_SIZE);
	if (from->has_digest || !text || pic_sha256_parse(text, &digest) < 0)
		return;
	to->has_digest = true;
	memcpy(to->digest, digest.bytes, PIC_DIGEST_SIZE);
}

static int make_spec(const char *type, const char *properties, void **spec, size_t *size,
		     struct pic_error *err)
{
	const struct pic_driver *driver = pic_driver_find(type);
	PIC_JSON struct pic_json *value = NULL;
	PIC_FREE void *made = NULL;
	int r;

	if (!driver)
		return pic_error_set(err, -ENOTSUP,
				     "this device does not know components of type '%s'", type);
	made = calloc(
		1, driver->spec_size); /* zeros between the fields: the digest covers all bytes */
	if (!made)
		return pic_error_set(err, -ENOMEM, "no memory for the component");
	r = pic_json_parse(&value, properties, strlen(properties), err);
	if (r == 0)
		r = driver->parse(value, made, err);
	if (r < 0)
		return r;
	*spec = PIC_STEAL(made);
	*size = driver->spec_size;
	return 0;
}

/* Everything about component `index` that only its driver can tell. */
static void ask_driver(struct pic_wanted *wanted, size_t index)
{
	struct pic_plan_component *component = &wanted->components[index];
	const struct pic_driver *driver = pic_driver_find(component->type);
	struct pic_error err = PIC_ERROR_INIT;
	PIC_FREE void *spec = NULL;
	struct pic_sha256 digest;
	size_t size = 0;

	if (make_spec(component->type, wanted->sources[index].properties, &spec, &size, &err) < 0) {
		set_problem(wanted, index, driver ? "InvalidProperties" : "UnknownType", err.text);
		return;
	}
	if (driver->profile.needs_artifact && !component->has_digest) {
		snprintf(
			err.text, sizeof(err.text),
			"no SHA-256 is known for its artifact; set %s.sha256 or let the hub resolve %s.url",
			component->type, component->type);
		set_problem(wanted, index, "NoArtifact", err.text);
		return;
	}
	if (pic_spec_digest(component->type, component->digest, spec, size, &digest) < 0) {
		set_problem(wanted, index, "NoMemory", "no memory for the component");
		return;
	}
	memcpy(component->spec_digest, digest.bytes, PIC_DIGEST_SIZE);
}

/* The same bytes cannot be two kinds of program: the later one is refused. */
static void check_types(struct pic_wanted *wanted, size_t index)
{
	struct pic_plan_component *component = &wanted->components[index];

	for (size_t i = 0; component->has_digest && i < index; i++) {
		const struct pic_plan_component *other = &wanted->components[i];

		if (other->has_digest && strcmp(other->type, component->type) != 0 &&
		    memcmp(other->digest, component->digest, PIC_DIGEST_SIZE) == 0)
			set_problem(
				wanted, index, "ArtifactOfOtherType",
				"its artifact is already in use by a component of another type");
	}
}

static int add_component(struct pic_wanted *wanted, const struct pic_document_component *from,
			 bool orphaned)
{
	size_t index = wanted->count++;
	struct pic_plan_component *to = &wanted->components[index];

	to->name = from->name;
	memcpy(to->type, from->type, sizeof(to->type));
	to->orphaned = orphaned;
	to->restart = restart_of(from);
	to->noted_start = -1;
	to->has_approval = from->has_approval;
	memcpy(to->approval, from->approval, sizeof(to->approval));
	find_digest(from, to);
	if (copy_dependencies(from, to) < 0 || copy_source(from, &wanted->sources[index]) < 0)
		return -ENOMEM;
	ask_driver(wanted, index);
	check_types(wanted, index);
	return 0;
}

static int add_document(struct pic_wanted *wanted, const struct pic_document *document,
			bool orphaned)
{
	for (size_t i = 0; document && i < document->component_count; i++)
		if (add_component(wanted, &document->components[i], orphaned) < 0)
			return -ENOMEM;
	return 0;
}

static int allocate(struct pic_wanted *wanted, size_t components, size_t removed)
{
	wanted->components = calloc(components + 1, sizeof(*wanted->components));
	wanted->sources = calloc(components + 1, sizeof(*wanted->sources));
	wanted->removed = calloc(removed + 1, sizeof(*wanted->removed));
	return wanted->components && wanted->sources && wanted->removed ? 0 : -ENOMEM;
}

static void copy_head(struct pic_wanted *wanted, const struct pic_document *document)
{
	if (!document)
		return;
	memcpy(wanted->epoch, document->epoch, sizeof(wanted->epoch));
	wanted->revision = document->revision;
	wanted->removed_count = document->removed_count;
	for (size_t i = 0; i < document->removed_count; i++) {
		wanted->removed[i].name = document->removed[i].name;
		wanted->removed[i].revision = document->removed[i].revision;
	}
}

int pic_wanted_make(struct pic_wanted *out, const struct pic_document *document,
		    const struct pic_document *kept, const struct pic_policy *policy,
		    struct pic_error *err)
{
	size_t count =
		(document ? document->component_count : 0) + (kept ? kept->component_count : 0);
	struct pic_wanted made = { .count = 0 };

	if (allocate(&made, count, document ? document->removed_count : 0) < 0 ||
	    add_document(&made, document, false) < 0 || add_document(&made, kept, true) < 0) {
		pic_wanted_clear(&made);
		return pic_error_set(err, -ENOMEM, "no memory for the desired state");
	}
	copy_head(&made, document);
	pic_wanted_judge(&made, policy);
	*out = made;
	return 0;
}

static bool is_same(const struct pic_plan_component *a, const struct pic_plan_component *b)
{
	return memcmp(a->spec_digest, b->spec_digest, PIC_DIGEST_SIZE) == 0;
}

/* A removal that was proved and is not a newer one needs no other proof. */
static void inherit_removed(struct pic_wanted *wanted, const struct pic_wanted *old)
{
	for (size_t i = 0; i < wanted->removed_count; i++)
		for (size_t k = 0; k < old->removed_count; k++)
			if (wanted->removed[i].revision == old->removed[k].revision &&
			    pic_workload_name_compare(&wanted->removed[i].name,
						      &old->removed[k].name) == 0)
				wanted->removed[i] = old->removed[k];
}

void pic_wanted_inherit(struct pic_wanted *wanted, struct pic_wanted *old)
{
	if (strcmp(wanted->epoch, old->epoch) == 0)
		inherit_removed(wanted, old);
	for (size_t i = 0; i < wanted->count; i++) {
		struct pic_plan_component *to = &wanted->components[i];
		size_t k = pic_wanted_find(old, &to->name);
		struct pic_plan_component *from;

		if (k == PIC_WANTED_NONE)
			continue;
		from = &old->components[k];
		if (to->problem || !is_same(to, from))
			continue;
		if (to->has_approval &&
		    memcmp(to->approval, from->approval, PIC_APPROVAL_SIZE) == 0) {
			wanted->sources[i].ticket_refusal =
				PIC_STEAL(old->sources[k].ticket_refusal);
			to->ticket_refusal = wanted->sources[i].ticket_refusal;
		}
		to->ends = from->ends;
		to->noted_start = from->noted_start;
		to->retry_boot_ms = from->retry_boot_ms;
		to->failure_is_refusal = from->failure_is_refusal;
		wanted->sources[i].failures = old->sources[k].failures;
		wanted->sources[i].failure = PIC_STEAL(old->sources[k].failure);
		to->failure = wanted->sources[i].failure;
		from->failure = NULL;
		to->verdict = from->verdict;
		wanted->sources[i].verdict = PIC_STEAL(old->sources[k].verdict);
		to->verdict_text = wanted->sources[i].verdict;
	}
}

static void judge(struct pic_wanted *wanted, size_t index, const struct pic_policy *policy)
{
	struct pic_plan_component *component = &wanted->components[index];
	const struct pic_driver *driver = pic_driver_find(component->type);
	struct pic_wanted_source *source = &wanted->sources[index];
	struct pic_error err = PIC_ERROR_INIT;
	PIC_FREE void *spec = NULL;
	size_t size;

	free(PIC_STEAL(source->refusal));
	component->refusal = NULL;
	component->needs_permission = policy ? pic_policy_needs_approval(policy, component->type)
					     : component->has_approval;
	if (component->problem || !policy || !driver)
		return;
	if (make_spec(component->type, source->properties, &spec, &size, &err) < 0)
		return;
	if (pic_policy_allows_type(policy, component->type, &err) == 0 &&
	    driver->check(spec, policy, &err) == 0)
		return;
	source->refusal = strdup(err.text);
	component->refusal = source->refusal ? source->refusal : "policy does not allow it";
}

void pic_wanted_judge(struct pic_wanted *wanted, const struct pic_policy *policy)
{
	for (size_t i = 0; i < wanted->count; i++)
		judge(wanted, i, policy);
}

int pic_wanted_spec(const struct pic_wanted *wanted, size_t index, void **spec, size_t *size,
		    struct pic_error *err)
{
	return make_spec(wanted->components[index].type, wanted->sources[index].properties, spec,
			 size, err);
}

size_t pic_wanted_find(const struct pic_wanted *wanted, const struct pic_workload_name *name)
{
	for (size_t i = 0; i < wanted->count; i++)
		if (pic_workload_name_compare(&wanted->components[i].name, name) == 0)
			return i;
	return PIC_WANTED_NONE;
}

static int64_t retry_delay_ms(unsigned failures)
{
	int64_t ms = RETRY_FIRST_MS;

	for (; failures > 1 && ms < RETRY_LONGEST_MS; failures--)
		ms *= 2;
	return ms < RETRY_LONGEST_MS ? ms : RETRY_LONGEST_MS;
}

static void note_failure(struct pic_wanted *wanted, size_t index, const char *text,
			 int64_t now_boot_ms)
{
	struct pic_plan_component *component = &wanted->components[index];
	struct pic_wanted_source *source = &wanted->sources[index];

	free(source->failure);
	source->failure = strdup(text);
	component->failure = source->failure ? source->failure : "no memory";
	component->retry_boot_ms = now_boot_ms + retry_delay_ms(++source->failures);
}

static void forget_failure(struct pic_wanted *wanted, size_t index)
{
	free(PIC_STEAL(wanted->sources[index].failure));
	wanted->components[index].failure = NULL;
	wanted->components[index].failure_is_refusal = false;
}

void pic_wanted_note_start(struct pic_wanted *wanted, size_t index, int code, const char *text,
			   int64_t now_boot_ms)
{
	forget_failure(wanted, index);
	if (code == 0) {
		wanted->sources[index].failures = 0;
		return;
	}
	note_failure(wanted, index, text, now_boot_ms);
	wanted->components[index].failure_is_refusal = code == -EPERM;
}

void pic_wanted_note_ticket(struct pic_wanted *wanted, size_t index, const char *text)
{
	struct pic_wanted_source *source = &wanted->sources[index];

	free(PIC_STEAL(source->ticket_refusal));
	source->ticket_refusal = text ? strdup(text) : NULL;
	wanted->components[index].ticket_refusal =
		text && !source->ticket_refusal ? "no memory" : source->ticket_refusal;
}

void pic_wanted_note_verdict(struct pic_wanted *wanted, size_t index, int code, const char *text,
			     int64_t now_boot_ms)
{
	struct pic_plan_component *component = &wanted->components[index];
	struct pic_wanted_source *source = &wanted->sources[index];

	free(PIC_STEAL(source->verdict));
	component->verdict_text = NULL;
	if (code == 0) {
		component->verdict = PIC_VERDICT_GOOD;
	} else if (code == -EINVAL) {
		source->verdict = strdup(text);
		component->verdict_text = source->verdict ? source->verdict : "it can never run";
		component->verdict = PIC_VERDICT_BAD;
	} else {
		component->verdict = PIC_VERDICT_NONE;
		note_failure(wanted, index, text, now_boot_ms);
	}
}
