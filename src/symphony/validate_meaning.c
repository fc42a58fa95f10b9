#include "symphony/validate_meaning.h"

#include <string.h>

/* The engine's own name for what a target runs on its own account. */
#define RUNTIME_PREFIX "target-runtime-"

#define NAME_RULE \
	"must be at most %d bytes of lower-case letters, digits, - and ., and begin and end with a " \
	"letter or digit"

static void check_instance_name(const char *name, const struct pic_path *path,
				struct pic_findings *out)
{
	if (!pic_name_is_valid(name, PIC_NAME_MAX) || strchr(name, '.'))
		pic_finding_add(
			out, PIC_FINDING_VALUE, path,
			"must be at most %d bytes of lower-case letters, digits and -, and begin "
			"and end with a letter or digit: files on the device are named after it",
			PIC_NAME_MAX);
	else if (pic_text_starts(name, RUNTIME_PREFIX))
		pic_finding_add(out, PIC_FINDING_VALUE, path,
				"must not begin with " RUNTIME_PREFIX
				": that is how a target's own components are named");
}

static void check_namespace(const char *space, struct pic_findings *out)
{
	const struct pic_path metadata = pic_path_root("metadata");
	const struct pic_path path = pic_path_field(&metadata, "namespace");

	if (space && (!pic_name_is_valid(space, PIC_NAME_MAX) || strchr(space, '.')))
		pic_finding_add(out, PIC_FINDING_VALUE, &path,
				"must be at most %d bytes of lower-case letters, digits and -",
				PIC_NAME_MAX);
}

void pic_validate_names(enum pic_kind kind, const struct pic_json *json, struct pic_findings *out)
{
	const struct pic_path metadata = pic_path_root("metadata");
	const struct pic_path path = pic_path_field(&metadata, "name");
	const char *name = pic_json_text(pic_json_find(json, "metadata", "name", NULL));
	bool short_name = kind == PIC_KIND_TARGET || kind == PIC_KIND_NAMESPACE;
	int maximum = short_name ? PIC_NAME_MAX : PIC_OBJECT_NAME_MAX;

	if (pic_kind_facts(kind)->namespaced)
		check_namespace(pic_json_text(pic_json_find(json, "metadata", "namespace", NULL)),
				out);
	if (!name)
		pic_finding_add(out, PIC_FINDING_REQUIRED, &path, "required value");
	else if (kind == PIC_KIND_INSTANCE)
		check_instance_name(name, &path, out);
	else if (!pic_name_is_valid(name, maximum) ||
		 (kind == PIC_KIND_NAMESPACE && strchr(name, '.')))
		pic_finding_add(out, PIC_FINDING_VALUE, &path, NAME_RULE, maximum);
}

static bool is_filled(const struct pic_json *object, const char *key)
{
	const char *text = pic_json_get_text(object, key);

	return text && *text;
}

/* "name" or "name:version", as an object name with : written as -v-. */
static void check_reference(const struct pic_json *spec, const char *field,
			    const struct pic_path *path, struct pic_findings *out)
{
	const char *text = pic_json_get_text(spec, field);
	char name[PIC_OBJECT_NAME_MAX + 1] = "";

	if (!text || !*text)
		return;
	if (strlen(text) <= PIC_OBJECT_NAME_MAX)
		strcpy(name, text);
	char *colon = strchr(name, ':');
	if (colon)
		*colon = '-';
	struct pic_path below = pic_path_field(path, field);

	if (!pic_name_is_valid(name, PIC_OBJECT_NAME_MAX))
		pic_finding_add(out, PIC_FINDING_VALUE, &below,
				"must be the name of a solution, or name:version");
}

static void check_instance(const struct pic_json *spec, const struct pic_path *path,
			   struct pic_findings *out)
{
	const struct pic_json *target = pic_json_get(spec, "target");
	const struct pic_path target_path = pic_path_field(path, "target");
	const struct pic_path solution_path = pic_path_field(path, "solution");
	const struct pic_path state_path = pic_path_field(path, "activeState");
	const char *state = pic_json_get_text(spec, "activeState");

	if (!is_filled(spec, "solution") && !is_filled(spec, "solutionversion"))
		pic_finding_add(out, PIC_FINDING_REQUIRED, &solution_path,
				"required value: the name of the solution to deploy");
	check_reference(spec, "solution", path, out);
	check_reference(spec, "solutionversion", path, out);
	if (!is_filled(target, "name") && pic_json_count(pic_json_get(target, "selector")) == 0)
		pic_finding_add(out, PIC_FINDING_REQUIRED, &target_path,
				"required value: name one target, or give a selector");
	if (state && *state && strcmp(state, "active") != 0 && strcmp(state, "inactive") != 0)
		pic_finding_add(out, PIC_FINDING_VALUE, &state_path, "must be active or inactive");
}

static void check_catalog(const struct pic_json *spec, const struct pic_path *path,
			  struct pic_findings *out)
{
	const char *type = pic_json_get_text(spec, "type");
	const char *later = pic_json_get_text(spec, "catalogType");
	const struct pic_path below = pic_path_field(path, "type");

	if ((!type || !*type) && (!later || !*later))
		pic_finding_add(out, PIC_FINDING_REQUIRED, &below,
				"required value: what the catalog holds, for instance config");
	else if (type && later && *type && *later && strcmp(type, later) != 0)
		pic_finding_add(out, PIC_FINDING_VALUE, &below,
				"must be the same as catalogType when both are given");
}

static void check_bindings(const struct pic_json *topology, const struct pic_path *path,
			   struct pic_findings *out)
{
	const struct pic_json *bindings = pic_json_get(topology, "bindings");
	const struct pic_path list = pic_path_field(path, "bindings");

	for (size_t i = 0; i < pic_json_count(bindings); i++) {
		const struct pic_json *binding = pic_json_at(bindings, i);
		const struct pic_path item = pic_path_item(&list, i);
		const struct pic_path below = pic_path_field(&item, "provider");

		if (pic_json_type(binding) == PIC_JSON_OBJECT && !is_filled(binding, "provider"))
			pic_finding_add(out, PIC_FINDING_REQUIRED, &below,
					"required value, for instance providers.target.staging");
	}
}

static void check_topologies(const struct pic_json *spec, const struct pic_path *path,
			     struct pic_findings *out)
{
	const struct pic_json *topologies = pic_json_get(spec, "topologies");
	const struct pic_path list = pic_path_field(path, "topologies");

	for (size_t i = 0; i < pic_json_count(topologies); i++) {
		const struct pic_path item = pic_path_item(&list, i);

		check_bindings(pic_json_at(topologies, i), &item, out);
	}
}

void pic_validate_meaning(enum pic_kind kind, const struct pic_json *json, struct pic_findings *out)
{
	const struct pic_json *spec = pic_json_get(json, "spec");
	const struct pic_path path = pic_path_root("spec");
	const struct pic_path components = pic_path_field(&path, "components");

	if (kind == PIC_KIND_INSTANCE)
		check_instance(spec, &path, out);
	if (kind == PIC_KIND_CATALOG)
		check_catalog(spec, &path, out);
	if (kind == PIC_KIND_TARGET)
		check_topologies(spec, &path, out);
	if (kind == PIC_KIND_TARGET || kind == PIC_KIND_SOLUTION)
		pic_validate_components(pic_json_get(spec, "components"), &components, out);
}
