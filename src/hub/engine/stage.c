#include "hub/engine/stage.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "hub/engine/gate.h"
#include "hub/engine/sentence.h"
#include "hub/expression/expression.h"
#include "symphony/component_types.h"

struct stage {
	const struct pic_engine_input *input;
	const struct pic_object *target;
	struct pic_expression_context context;
	struct pic_engine_output *output;
	struct pic_error *err;
};

void pic_wanted_list_free(struct pic_wanted_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		pic_json_unref(list->items[i].json);
	free(list->items);
	*list = (struct pic_wanted_list){ .items = NULL };
}

void pic_wanted_hold(struct pic_wanted *wanted, enum pic_wanted_state state, const char *reason,
		     const char *format, ...)
{
	va_list arguments;

	wanted->state = state;
	snprintf(wanted->reason, sizeof(wanted->reason), "%s", reason);
	va_start(arguments, format);
	pic_engine_vformat(wanted->message, sizeof(wanted->message), format, arguments);
	va_end(arguments);
}

/* 1: goes to the target; 0: does not; negative: the constraint cannot be evaluated. */
static int passes_constraints(const struct stage *stage, const struct pic_json *component,
			      struct pic_error *err)
{
	const char *text = pic_json_get_text(component, "constraints");
	PIC_JSON struct pic_json *value = NULL;

	if (!text || !*text || (stage->input->broken & PIC_ENGINE_RULE_CONSTRAINTS_COUNT))
		return 1;
	int r = pic_expression_evaluate(text, &stage->context, &value, err);

	return r < 0 ? r : pic_expression_is_true(value);
}

/* A target that lists bindings has to have one for the type; one that lists none takes everything. */
static bool has_role(const struct pic_object *target, const char *type, bool *any)
{
	const struct pic_json *topologies = pic_json_get(pic_object_spec(target), "topologies");
	bool found = false;

	*any = false;
	for (size_t i = 0; i < pic_json_count(topologies); i++) {
		const struct pic_json *bindings =
			pic_json_get(pic_json_at(topologies, i), "bindings");

		for (size_t j = 0; j < pic_json_count(bindings); j++) {
			const struct pic_json *binding = pic_json_at(bindings, j);
			const char *role = pic_json_text_or(pic_json_get(binding, "role"), "");
			bool same = strcmp(role, type) == 0 || (strcmp(type, "container") == 0 &&
								strcmp(role, "instance") == 0);

			*any = true;
			found |= same &&
				 strcmp(pic_json_text_or(pic_json_get(binding, "provider"), ""),
					"providers.target.staging") == 0;
		}
	}
	return found;
}

static void check_type(const struct stage *stage, struct pic_wanted *wanted, const char *type)
{
	bool any = false;

	if (!pic_component_type(type)) {
		pic_wanted_hold(wanted, PIC_WANTED_STUCK, "UnknownType",
				"component %s: there is no type \"%.40s\"; the types are %s",
				wanted->name, type, pic_component_type_names);
		return;
	}
	if (!has_role(stage->target, type, &any) && any)
		pic_wanted_hold(wanted, PIC_WANTED_STUCK, "NoRole",
				"component %s: target %s has no binding of role %s with provider "
				"providers.target.staging; add one to its topologies",
				wanted->name, stage->target->name, type);
}

static int evaluate_part(const struct stage *stage, struct pic_json *component, const char *key,
			 struct pic_error *err)
{
	struct pic_json *value = pic_json_get(component, key), *evaluated = NULL;

	if (!value)
		return 0;
	int r = pic_expression_evaluate_tree(value, &stage->context, &evaluated, err);

	if (r < 0)
		return r;
	pic_json_set(component, key, evaluated);
	return 0;
}

static void evaluate(const struct stage *stage, struct pic_wanted *wanted)
{
	struct pic_error err = PIC_ERROR_INIT;
	int r = evaluate_part(stage, wanted->json, "metadata", &err);

	if (r == 0)
		r = evaluate_part(stage, wanted->json, "properties", &err);
	if (r < 0)
		pic_wanted_hold(wanted, PIC_WANTED_STUCK, "BadExpression", "component %s: %s",
				wanted->name, err.text);
}

static const struct pic_engine_resolution *find_resolution(const struct pic_engine_input *input,
							   const char *component, const char *url)
{
	for (size_t i = 0; i < input->resolution_count; i++) {
		const struct pic_engine_resolution *resolution = &input->resolutions[i];

		if (resolution->generation == input->solution->generation &&
		    strcmp(resolution->component, component) == 0 &&
		    strcmp(resolution->url, url) == 0)
			return resolution;
	}
	return NULL;
}

static int add_need(struct stage *stage, const char *component, const char *url)
{
	struct pic_engine_output *output = stage->output;

	for (size_t i = 0; i < output->need_count; i++)
		if (strcmp(output->needs[i].component, component) == 0 &&
		    strcmp(output->needs[i].url, url) == 0)
			return 0;
	struct pic_engine_need *needs =
		reallocarray(output->needs, output->need_count + 1, sizeof(*needs));
	char *copy = strdup(url);

	if (needs)
		output->needs = needs;
	if (!needs || !copy) {
		free(copy);
		return pic_error_set(stage->err, -ENOMEM, "no memory to stage %s", component);
	}
	struct pic_engine_need *need = &needs[output->need_count++];

	snprintf(need->component, sizeof(need->component), "%s", component);
	need->url = copy;
	return 0;
}

static int resolve(struct stage *stage, struct pic_wanted *wanted, const char *url,
		   const char *digest_key)
{
	const struct pic_engine_resolution *resolution =
		find_resolution(stage->input, wanted->name, url);
	char digest[PIC_SHA256_TEXT];

	if (!resolution || resolution->failure) {
		if (resolution)
			pic_wanted_hold(wanted, PIC_WANTED_STUCK, "UrlNotResolved",
					"component %s: %s", wanted->name, resolution->failure);
		else
			pic_wanted_hold(
				wanted, PIC_WANTED_WAITING, "Resolving",
				"component %s: %.200s is being fetched to learn its SHA-256",
				wanted->name, url);
		return add_need(stage, wanted->name, url);
	}
	pic_sha256_text(&resolution->digest, digest);
	pic_json_set_text(pic_json_ensure_object(wanted->json, "properties"), digest_key, digest);
	wanted->hub_has_bytes = true;
	return 0;
}

/* Everything that runs is known by its SHA-256, given by the user or learned from the URL. */
static int pin_bytes(struct stage *stage, struct pic_wanted *wanted, const char *type)
{
	const struct pic_json *properties = pic_json_get(wanted->json, "properties");
	const char *prefix = pic_component_type(type)->prefix;
	char url_key[32], digest_key[32];
	struct pic_sha256 digest;

	if (!prefix)
		return 0;
	snprintf(url_key, sizeof(url_key), "%surl", prefix);
	snprintf(digest_key, sizeof(digest_key), "%ssha256", prefix);
	const char *url = pic_json_get_text(properties, url_key);
	const char *given = pic_json_get_text(properties, digest_key);

	if (url && *url && !pic_component_url_is_valid(url)) {
		pic_wanted_hold(wanted, PIC_WANTED_STUCK, "BadUrl",
				"component %s: %s is not an address of http or https: %.200s",
				wanted->name, url_key, url);
		return 0;
	}
	if (given && *given) {
		if (pic_sha256_parse(given, &digest) < 0)
			pic_wanted_hold(wanted, PIC_WANTED_STUCK, "BadDigest",
					"component %s: %s must be a SHA-256: 64 hexadecimal digits",
					wanted->name, digest_key);
		wanted->hub_has_bytes = !url || !*url || pic_component_url_is_own(url);
		return 0;
	}
	if (url && *url)
		return resolve(stage, wanted, url, digest_key);
	if (strcmp(type, "wasm") == 0 || strcmp(type, "ebpf") == 0)
		pic_wanted_hold(wanted, PIC_WANTED_STUCK, "NoUrl", "component %s: %s is missing",
				wanted->name, url_key);
	return 0;
}

static int stage_component(struct stage *stage, const struct pic_json *component,
			   struct pic_wanted *wanted)
{
	struct pic_error err = PIC_ERROR_INIT;
	int passes = passes_constraints(stage, component, &err);
	const char *type = pic_json_text_or(pic_json_get(component, "type"), "");

	if (passes < 0)
		pic_wanted_hold(
			wanted, PIC_WANTED_STUCK, "BadConstraint",
			"component %s: its constraints cannot be evaluated for target %s: %s",
			wanted->name, stage->target->name, err.text);
	if (passes <= 0)
		return passes < 0;
	check_type(stage, wanted, type);
	if (wanted->state != PIC_WANTED_READY)
		return 1;
	wanted->json = pic_json_copy(component);
	if (!wanted->json)
		return pic_error_set(stage->err, -ENOMEM, "no memory to stage %s", wanted->name);
	evaluate(stage, wanted);
	int r = wanted->state == PIC_WANTED_READY ? pin_bytes(stage, wanted, type) : 0;

	if (r == 0 && wanted->state == PIC_WANTED_READY)
		r = pic_gate(stage->input, stage->target, wanted, stage->err);
	return r < 0 ? r : 1;
}

static bool is_listed(const struct pic_wanted_list *list, const char *name)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->items[i].name, name) == 0)
			return true;
	return false;
}

static void complain(struct pic_wanted_list *list, const char *reason, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
static void complain(struct pic_wanted_list *list, const char *reason, const char *format, ...)
{
	va_list arguments;

	if (list->reason[0])
		return;
	snprintf(list->reason, sizeof(list->reason), "%s", reason);
	va_start(arguments, format);
	pic_engine_vformat(list->message, sizeof(list->message), format, arguments);
	va_end(arguments);
}

static int stage_one(struct stage *stage, size_t index, const struct pic_json *component,
		     struct pic_wanted_list *list)
{
	const char *name = pic_json_get_text(component, "name");

	if (!name || !pic_name_is_valid(name, PIC_NAME_MAX)) {
		complain(list, "BadName", "components[%zu] has no usable name", index);
		return 0;
	}
	if (is_listed(list, name)) {
		complain(list, "DuplicateName", "two components are called %s", name);
		return 0;
	}
	if (list->count >= PIC_DOCUMENT_COMPONENTS_MAX) {
		complain(list, "TooManyComponents", "a device takes at most %d components",
			 PIC_DOCUMENT_COMPONENTS_MAX);
		return 0;
	}
	struct pic_wanted wanted = { .name = name };
	int r = stage_component(stage, component, &wanted);

	if (wanted.state != PIC_WANTED_READY || r <= 0) {
		pic_json_unref(wanted.json);
		wanted.json = NULL;
	}
	if (r > 0)
		list->items[list->count++] = wanted;
	return r;
}

int pic_stage(const struct pic_engine_input *input, const struct pic_object *target,
	      struct pic_wanted_list *out, struct pic_engine_output *output, struct pic_error *err)
{
	const struct pic_json *components =
		pic_json_get(pic_object_spec(input->solution), "components");
	struct pic_wanted_list list = { .items = NULL };
	struct stage stage = {
		.input = input,
		.target = target,
		.context = { .properties = pic_json_get(pic_object_spec(target), "properties"),
			     .instance = input->name },
		.output = output,
		.err = err,
	};
	size_t count = pic_json_count(components);

	if (pic_json_type(components) != PIC_JSON_ARRAY)
		count = 0;
	list.items = calloc(count + 1, sizeof(*list.items));
	if (!list.items)
		return pic_error_set(err, -ENOMEM, "no memory to stage %s", input->name);
	for (size_t i = 0; i < count; i++) {
		int r = stage_one(&stage, i, pic_json_at(components, i), &list);

		if (r < 0) {
			pic_wanted_list_free(&list);
			return r;
		}
	}
	*out = list;
	return 0;
}
