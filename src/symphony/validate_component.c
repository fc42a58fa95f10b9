/*
 * Components: names that become file names on the device, types that exist, properties of the type.
 */
#include "symphony/validate_meaning.h"

#include <errno.h>
#include <string.h>

#include "base/ports.h"
#include "base/spelling.h"
#include "base/words.h"
#include "symphony/component_types.h"

/* What one device's document may hold; it also bounds the work done here. */
#define COMPONENTS_MAX 256
#define DEPENDENCIES_MAX 16
#define WORD_MAX 4096 /* of a property; the device's own limit */

static void check_name(const struct pic_json *components, size_t index, const char *name,
		       const struct pic_path *path, struct pic_findings *out)
{
	if (!pic_name_is_valid(name, PIC_NAME_MAX)) {
		pic_finding_add(
			out, PIC_FINDING_VALUE, path,
			"must be at most %d bytes of lower-case letters, digits, - and ., and begin "
			"and end with a letter or digit: files on the device are named after it",
			PIC_NAME_MAX);
		return;
	}
	for (size_t i = 0; i < index; i++) {
		const char *earlier = pic_json_get_text(pic_json_at(components, i), "name");

		if (earlier && strcmp(earlier, name) == 0) {
			pic_finding_add(
				out, PIC_FINDING_VALUE, path,
				"is the name of components[%zu] too; each name can be used once",
				i);
			return;
		}
	}
}

static void check_type(const struct pic_json *component, const struct pic_path *path,
		       struct pic_findings *out)
{
	const char *name = pic_json_get_text(component, "type");
	const struct pic_path below = pic_path_field(path, "type");
	struct pic_spelling spelling = { .wanted = name };

	if (pic_json_type(pic_json_get(component, "type")) > PIC_JSON_NULL && !name)
		return;
	if (!name || !*name) {
		pic_finding_add(out, PIC_FINDING_REQUIRED, &below, "required value: one of %s",
				pic_component_type_names);
		return;
	}
	if (pic_component_type(name))
		return;
	for (const struct pic_component_type *type = pic_component_types; type->name; type++)
		pic_spelling_offer(&spelling, type->name);
	if (spelling.nearest)
		pic_finding_add(out, PIC_FINDING_VALUE, &below,
				"there is no type \"%.40s\", did you mean \"%s\"? The types are %s",
				name, spelling.nearest, pic_component_type_names);
	else
		pic_finding_add(out, PIC_FINDING_VALUE, &below,
				"there is no type \"%.40s\"; the types are %s", name,
				pic_component_type_names);
}

static bool is_sha256(const char *text)
{
	unsigned char bytes[32];

	if (pic_text_starts(text, "sha256:"))
		text += strlen("sha256:");
	return pic_hex_decode(text, bytes, sizeof(bytes)) == 0;
}

/* Words, and each of them ports when `are_ports` says so: what the device takes, in its own sentences. */
static int check_words(const char *text, bool are_ports, struct pic_error *err)
{
	struct pic_words words = { text };
	struct pic_policy_ports ports;
	char word[WORD_MAX];
	int count = 0, r;

	while ((r = pic_words_next(&words, word, sizeof(word), err)) > 0) {
		if (!are_ports)
			continue;
		if (++count > PIC_PROPERTY_PORTS_MAX)
			return pic_error_set(err, -E2BIG, "must have at most %d entries",
					     PIC_PROPERTY_PORTS_MAX);
		r = pic_ports_parse(word, strlen(word), &ports, err);
		if (r < 0)
			return r;
	}
	return r;
}

static int check_restart(const char *text, struct pic_error *err)
{
	if (strcmp(text, "always") == 0 || strcmp(text, "on-failure") == 0 ||
	    strcmp(text, "never") == 0)
		return 0;
	return pic_error_set(err, -EINVAL, "must be always, on-failure or never");
}

static int check_form(enum pic_property_form form, const char *text, struct pic_error *err)
{
	unsigned long long bytes;

	switch (form) {
	case PIC_PROPERTY_TEXT:
		return 0;
	case PIC_PROPERTY_URL:
		if (pic_component_url_is_valid(text))
			return 0;
		return pic_error_set(
			err, -EINVAL,
			"must be an address that begins with http:// or https:// and a host, without "
			"a password, blanks or quotes, or /artifacts/NAME of what was pushed");
	case PIC_PROPERTY_SHA256:
		if (is_sha256(text))
			return 0;
		return pic_error_set(err, -EINVAL, "must be a SHA-256: 64 hexadecimal digits");
	case PIC_PROPERTY_SIZE:
		if (pic_size_parse(text, &bytes) == 0)
			return 0;
		return pic_error_set(err, -EINVAL, "must be a size, for instance 64M or 512k");
	case PIC_PROPERTY_RESTART:
		return check_restart(text, err);
	case PIC_PROPERTY_WORDS:
		return check_words(text, false, err);
	case PIC_PROPERTY_PORTS:
		return check_words(text, true, err);
	}
	return 0;
}

static void check_property_value(enum pic_property_form form, const struct pic_json *value,
				 const struct pic_path *path, struct pic_findings *out)
{
	const char *text = pic_json_text(value);
	struct pic_error err = PIC_ERROR_INIT;

	if (pic_json_type(value) == PIC_JSON_NULL)
		return;
	if (!text) {
		pic_finding_add(out, PIC_FINDING_TYPE, path, "must be a text%s",
				pic_json_count(value) > 0 ? "" : ": put it in quotes");
		return;
	}
	if (strstr(text, "${{")) /* known only when it is deployed */
		return;
	if (check_form(form, text, &err) < 0)
		pic_finding_add(out, PIC_FINDING_VALUE, path, "%s", err.text);
}

static void report_unknown(const struct pic_component_type *type, const char *name,
			   const struct pic_path *path, struct pic_findings *out)
{
	struct pic_spelling spelling = { .wanted = name };

	for (const struct pic_component_property *known = type->properties; known->name; known++)
		pic_spelling_offer(&spelling, known->name);
	if (spelling.nearest)
		pic_finding_add(out, PIC_FINDING_UNKNOWN, path,
				"unknown property of type %s, did you mean \"%s\"?", type->name,
				spelling.nearest);
	else
		pic_finding_add(out, PIC_FINDING_UNKNOWN, path, "unknown property of type %s",
				type->name);
}

static const struct pic_component_property *find_property(const struct pic_component_type *type,
							  const char *name)
{
	for (const struct pic_component_property *known = type->properties; known->name; known++)
		if (strcmp(known->name, name) == 0)
			return known;
	return NULL;
}

/* Names without a type's prefix are the user's own and say nothing to us. */
static void check_property(const struct pic_component_type *type, const char *name,
			   const struct pic_json *value, const struct pic_path *path,
			   struct pic_findings *out)
{
	const struct pic_component_type *owner = pic_component_type_of_property(name);

	if (!owner)
		return;
	if (type->prefix && owner != type) {
		pic_finding_add(out, PIC_FINDING_UNKNOWN, path,
				"belongs to type %s, but the component is of type %s", owner->name,
				type->name);
		return;
	}
	const char *suffix = strchr(name, '.') + 1;

	if (owner->properties) {
		const struct pic_component_property *known = find_property(owner, name);

		if (known)
			check_property_value(known->form, value, path, out);
		else
			report_unknown(owner, name, path, out);
	} else if (strcmp(suffix, "url") == 0) {
		check_property_value(PIC_PROPERTY_URL, value, path, out);
	} else if (strcmp(suffix, "sha256") == 0) {
		check_property_value(PIC_PROPERTY_SHA256, value, path, out);
	}
}

static void check_properties(const struct pic_json *component, const struct pic_path *path,
			     struct pic_findings *out)
{
	const struct pic_component_type *type =
		pic_component_type(pic_json_get_text(component, "type"));
	const struct pic_json *properties = pic_json_get(component, "properties");
	const struct pic_path map = pic_path_field(path, "properties");

	if (!type)
		return;
	pic_json_each(properties, i) {
		struct pic_path below = pic_path_key(&map, pic_json_key(i));

		check_property(type, pic_json_key(i), pic_json_value(i), &below, out);
	}
	if (strcmp(type->name, "wasm") == 0 && !pic_json_get(properties, "wasm.url") &&
	    !pic_json_get(properties, "wasm.sha256")) {
		struct pic_path below = pic_path_key(&map, "wasm.url");

		pic_finding_add(
			out, PIC_FINDING_REQUIRED, &below,
			"required value: where the module comes from, or wasm.sha256 of one that was pushed");
	}
}

static void check_dependencies(const struct pic_json *components, const struct pic_json *component,
			       const struct pic_path *path, struct pic_findings *out)
{
	const struct pic_json *list = pic_json_get(component, "dependencies");
	const struct pic_path below = pic_path_field(path, "dependencies");

	if (pic_json_count(list) > DEPENDENCIES_MAX)
		pic_finding_add(out, PIC_FINDING_VALUE, &below, "must have at most %d names",
				DEPENDENCIES_MAX);

	for (size_t i = 0; i < pic_json_count(list); i++) {
		const char *wanted = pic_json_text(pic_json_at(list, i));
		struct pic_path item = pic_path_item(&below, i);
		bool found = false;

		for (size_t j = 0; wanted && j < pic_json_count(components) && !found; j++) {
			const char *name = pic_json_get_text(pic_json_at(components, j), "name");

			found = name && strcmp(name, wanted) == 0;
		}
		if (wanted && !found)
			pic_finding_add(out, PIC_FINDING_VALUE, &item,
					"there is no component \"%.63s\" in this list", wanted);
	}
}

void pic_validate_components(const struct pic_json *components, const struct pic_path *path,
			     struct pic_findings *out)
{
	if (pic_json_count(components) > COMPONENTS_MAX) {
		pic_finding_add(out, PIC_FINDING_VALUE, path, "must have at most %d components",
				COMPONENTS_MAX);
		return;
	}
	for (size_t i = 0; i < pic_json_count(components); i++) {
		const struct pic_json *component = pic_json_at(components, i);
		const struct pic_path item = pic_path_item(path, i);
		const struct pic_path name_path = pic_path_field(&item, "name");
		const char *name = pic_json_get_text(component, "name");

		if (pic_json_type(component) != PIC_JSON_OBJECT)
			continue;
		if (name)
			check_name(components, i, name, &name_path, out);
		check_type(component, &item, out);
		check_properties(component, &item, out);
		check_dependencies(components, component, &item, out);
	}
}
