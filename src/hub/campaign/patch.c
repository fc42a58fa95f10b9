#include "hub/campaign/patch.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "hub/campaign/stage.h"

#define COMPONENTS_MAX 4096

void pic_patch_free(struct pic_patch *patch)
{
	pic_json_unref(patch->solution);
	pic_json_unref(patch->former);
	pic_json_unref(patch->put);
	*patch = (struct pic_patch){ .solution = NULL };
}

static const char *text_of(const struct pic_json *object, const char *key)
{
	return pic_json_text_or(pic_json_get(object, key), "");
}

static bool is_any(const char *text, const char *one, const char *other)
{
	return strcmp(text, one) == 0 || strcmp(text, other) == 0;
}

int pic_patch_names(const struct pic_json *inputs, struct pic_patch_names *out,
		    struct pic_error *err)
{
	const char *type = text_of(inputs, "objectType"), *source = text_of(inputs, "patchSource");
	struct pic_patch_names names = { "", "" };

	if (!is_any(type, "solution", "solutionversion"))
		return pic_error_set(err, -EINVAL,
				     "objectType must be solution, not \"%.60s\": nothing else can "
				     "be patched",
				     type);
	if (!pic_stage_object_name(text_of(inputs, "objectName"), names.solution))
		return pic_error_set(err, -EINVAL,
				     "objectName must be the name of a solution, not \"%.60s\"",
				     text_of(inputs, "objectName"));
	if (!*source || is_any(source, "catalog", "catalogversion")) {
		if (!pic_stage_object_name(text_of(inputs, "patchContent"), names.catalog))
			return pic_error_set(err, -EINVAL,
					     "patchContent must be the name of a catalog, because "
					     "patchSource is catalog");
	} else if (strcmp(source, "inline") != 0) {
		return pic_error_set(err, -EINVAL,
				     "patchSource must be inline or catalog, not \"%.60s\"",
				     source);
	}
	*out = names;
	return 0;
}

/* The index of a component, or the number of components. */
static size_t find(const struct pic_json *components, const char *name)
{
	size_t i = 0;

	while (i < pic_json_count(components) &&
	       strcmp(text_of(pic_json_at(components, i), "name"), name) != 0)
		i++;
	return i;
}

/* A copy whose list of components may be changed. */
static struct pic_json *edit(const struct pic_json *solution, struct pic_json **components)
{
	struct pic_json *copy = pic_json_copy(solution);
	struct pic_json *spec = pic_json_ensure_object(copy, "spec");

	*components = pic_json_get(spec, "components");
	if (pic_json_type(*components) != PIC_JSON_ARRAY) {
		*components = pic_json_new_array();
		pic_json_set(spec, "components", *components);
	}
	return copy;
}

/* Puts, replaces or (NULL) removes the component of that name. */
static void place(struct pic_json *components, const char *name, const struct pic_json *put)
{
	size_t at = find(components, name);
	bool is_there = at < pic_json_count(components);

	if (!put && is_there)
		pic_json_remove_at(components, at);
	else if (put && is_there)
		pic_json_replace_at(components, at, pic_json_copy(put));
	else if (put)
		pic_json_append(components, pic_json_copy(put));
}

static int read_action(const struct pic_json *inputs, bool *is_removal, struct pic_error *err)
{
	const char *action = text_of(inputs, "patchAction");

	if (*action && !is_any(action, "add", "remove"))
		return pic_error_set(err, -EINVAL,
				     "patchAction must be add or remove, not \"%.60s\"", action);
	*is_removal = strcmp(action, "remove") == 0;
	return 0;
}

/* The index in a list of an element that has the same value under `key`. */
static size_t find_twin(const struct pic_json *list, const struct pic_json *element,
			const char *key)
{
	const struct pic_json *wanted = *key ? pic_json_get(element, key) : NULL;
	size_t i = 0;

	while (i < pic_json_count(list) &&
	       !(wanted ? pic_json_equal(pic_json_get(pic_json_at(list, i), key), wanted)
			: !*key && pic_json_equal(pic_json_at(list, i), element)))
		i++;
	return i;
}

/* The list that component, property and subKey lead to, inside of `component`. */
static int find_list(struct pic_json *component, const struct pic_json *inputs,
		     struct pic_json **out, struct pic_error *err)
{
	const char *property = text_of(inputs, "property"), *key = text_of(inputs, "subKey");
	struct pic_json *value = pic_json_get(pic_json_get(component, "properties"), property);

	if (!value)
		return pic_error_set(err, -ENOENT, "component %.63s has no property \"%.80s\"",
				     text_of(component, "name"), property);
	if (*key)
		value = pic_json_get(value, key);
	if (pic_json_type(value) != PIC_JSON_ARRAY)
		return pic_error_set(err, -EINVAL, "property %.80s%s%.60s of %.63s is not a list",
				     property, *key ? "." : "", key, text_of(component, "name"));
	*out = value;
	return 0;
}

static int change_list(struct pic_json *component, const struct pic_json *inputs,
		       const struct pic_json *element, bool is_removal, struct pic_error *err)
{
	struct pic_json *list = NULL;
	int r = find_list(component, inputs, &list, err);

	if (r < 0)
		return r;
	const char *key = text_of(inputs, "dedupKey");
	size_t twin = *key || is_removal ? find_twin(list, element, key) : pic_json_count(list);
	if (is_removal && twin < pic_json_count(list))
		pic_json_remove_at(list, twin);
	else if (!is_removal && twin < pic_json_count(list))
		r = pic_json_replace_at(list, twin, pic_json_copy(element));
	else if (!is_removal)
		r = pic_json_append(list, pic_json_copy(element));
	return r < 0 ? pic_error_set(err, r, "no memory for a patch") : 0;
}

/* What the component becomes; *put NULL: it goes. */
static int make_component(const struct pic_json *former, const struct pic_json *inputs,
			  const struct pic_json *content, struct pic_json **put,
			  struct pic_error *err)
{
	const char *name = text_of(inputs, "component");
	bool is_removal = false;
	int r = read_action(inputs, &is_removal, err);

	if (r < 0)
		return r;
	if (!*name) {
		*put = is_removal ? NULL : pic_json_copy(content);
		return 0;
	}
	if (!former)
		return pic_error_set(err, -ENOENT, "the solution has no component %.63s", name);
	PIC_JSON struct pic_json *changed = pic_json_copy(former);
	r = change_list(changed, inputs, content, is_removal, err);
	if (r == 0)
		*put = PIC_STEAL(changed);
	return r;
}

int pic_patch_make(const struct pic_json *solution, const struct pic_json *inputs,
		   const struct pic_json *content, struct pic_patch *out, struct pic_error *err)
{
	PIC_PATCH struct pic_patch patch = { .solution = NULL };
	struct pic_json *components = NULL;
	const char *name = text_of(inputs, "component");

	if (!content)
		content = pic_json_get(inputs, "patchContent");
	if (pic_json_type(content) != PIC_JSON_OBJECT)
		return pic_error_set(err, -EINVAL, "patchContent must be an object, not %s",
				     pic_json_type_name(content));
	if (!*name)
		name = text_of(content, "name");
	if (!*name || strlen(name) > PIC_NAME_MAX)
		return pic_error_set(err, -EINVAL,
				     "patchContent must have the name of a component");
	snprintf(patch.component, sizeof(patch.component), "%s", name);
	PIC_JSON struct pic_json *changed = edit(solution, &components);
	size_t at = find(components, name);
	if (at < pic_json_count(components))
		patch.former = pic_json_copy(pic_json_at(components, at));
	else if (at >= COMPONENTS_MAX)
		return pic_error_set(err, -EINVAL, "the solution has too many components");
	int r = make_component(patch.former, inputs, content, &patch.put, err);
	if (r < 0)
		return r;
	if (pic_json_equal(patch.former, patch.put) || (!patch.former && !patch.put)) {
		*out = patch;
		patch = (struct pic_patch){ .solution = NULL };
		return 0;
	}
	place(components, name, patch.put);
	patch.solution = PIC_STEAL(changed);
	*out = patch;
	patch = (struct pic_patch){ .solution = NULL };
	return 0;
}

enum pic_patch_undo pic_patch_undo(const struct pic_json *solution, const char *component,
				   const struct pic_json *former, const struct pic_json *put,
				   struct pic_json **out)
{
	const struct pic_json *list = pic_json_find(solution, "spec", "components", NULL);
	const struct pic_json *now = pic_json_at(list, find(list, component));
	struct pic_json *components = NULL;

	if (pic_json_type(former) == PIC_JSON_NULL)
		former = NULL;
	if (pic_json_type(put) == PIC_JSON_NULL)
		put = NULL;
	if (now == former || (now && former && pic_json_equal(now, former)))
		return PIC_PATCH_ALREADY;
	if (now != put && !(now && put && pic_json_equal(now, put)))
		return PIC_PATCH_NOT_OURS;
	*out = edit(solution, &components);
	place(components, component, former);
	return PIC_PATCH_UNDONE;
}
