#include "protocol/document.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/version.h"
#include "protocol/place.h"

static void component_clear(struct pic_document_component *component)
{
	free(component->url);
	free(component->dependencies);
	pic_json_unref(component->properties);
}

void pic_document_free(struct pic_document *document)
{
	if (!document)
		return;
	for (size_t i = 0; i < document->component_count; i++)
		component_clear(&document->components[i]);
	free(document->components);
	free(document->removed);
	free(document);
}

static void document_free_pointer(struct pic_document **document)
{
	pic_document_free(*document);
}

static int read_type(const struct pic_place *place, char out[PIC_TYPE_MAX + 1],
		     struct pic_error *err)
{
	int r = pic_place_text(place, "type", PIC_REQUIRED, out, PIC_TYPE_MAX + 1, err);

	if (r < 0)
		return r;
	if (!pic_name_is_valid(out, PIC_TYPE_MAX))
		return pic_place_error(place, "type", err, "'%s' is not a type of component", out);
	return 0;
}

static bool url_is_plausible(const char *url)
{
	static const char *const schemes[] = { "https://", "http://", "file:" };

	if (strchr(url, ' '))
		return false;
	for (size_t i = 0; i < PIC_COUNT(schemes); i++)
		if (pic_text_starts(url, schemes[i]) && url[strlen(schemes[i])])
			return true;
	return false;
}

static int read_url(const struct pic_place *place, char **out, struct pic_error *err)
{
	char url[PIC_URL_MAX + 1] = "";
	int r = pic_place_text(place, "url", PIC_OPTIONAL, url, sizeof(url), err);

	if (r < 0 || !url[0])
		return r;
	if (!url_is_plausible(url))
		return pic_place_error(place, "url", err, "'%.100s' is not a URL of http or https",
				       url);
	*out = strdup(url);
	return *out ? 0 : pic_error_set(err, -ENOMEM, "no memory for the document");
}

static int read_properties(const struct pic_place *place, struct pic_json **out,
			   struct pic_error *err)
{
	struct pic_json *value = pic_json_get(place->object, "properties");
	enum pic_json_type type = pic_json_type(value);

	if (type == PIC_JSON_ABSENT || type == PIC_JSON_NULL)
		*out = pic_json_new_object();
	else if (type == PIC_JSON_OBJECT)
		*out = pic_json_ref(value);
	else
		return pic_place_error(place, "properties", err, "an object is expected, found %s",
				       pic_json_type_name(value));
	return *out ? 0 : pic_error_set(err, -ENOMEM, "no memory for the document");
}

static int read_dependencies(const struct pic_place *place, struct pic_document_component *out,
			     struct pic_error *err)
{
	const struct pic_json *array = pic_json_get(place->object, "dependencies");
	size_t count = 0;
	int r = pic_place_count(place, "dependencies", PIC_DOCUMENT_DEPENDENCIES_MAX, &count, err);

	if (r < 0 || count == 0)
		return r;
	out->dependencies = calloc(count, sizeof(*out->dependencies));
	if (!out->dependencies)
		return pic_error_set(err, -ENOMEM, "no memory for the document");
	for (size_t i = 0; i < count; i++) {
		const char *name = pic_json_text(pic_json_at(array, i));

		if (!name || !pic_name_is_valid(name, PIC_NAME_MAX))
			return pic_place_error(place, "dependencies", err,
					       "entry %zu is not the name of a component", i);
		memcpy(out->dependencies[i], name, strlen(name) + 1);
		out->dependency_count++;
	}
	return 0;
}

static int read_approval(const struct pic_place *place, struct pic_document_component *out,
			 struct pic_error *err)
{
	enum pic_json_type type = pic_json_type(pic_json_get(place->object, "approval"));
	struct pic_place approval;
	int r;

	if (type == PIC_JSON_ABSENT || type == PIC_JSON_NULL)
		return 0;
	r = pic_place_object(place, "approval", &approval, err);
	return r < 0 ? r
		     : pic_place_bytes(&approval, "id", PIC_REQUIRED, out->approval,
				       PIC_APPROVAL_SIZE, &out->has_approval, err);
}

static int read_name(const struct pic_place *place, struct pic_workload_name *out,
		     struct pic_error *err)
{
	int r = pic_place_name(place, "instance", PIC_REQUIRED, out->instance, err);

	return r < 0 ? r : pic_place_name(place, "component", PIC_REQUIRED, out->component, err);
}

static int read_component(const struct pic_place *place, int64_t revision,
			  struct pic_document_component *out, struct pic_error *err)
{
	int r = read_name(place, &out->name, err);

	if (r < 0)
		return r;
	r = read_type(place, out->type, err);
	if (r < 0)
		return r;
	r = pic_place_integer(place, "revision", PIC_REQUIRED, 1, revision, &out->revision, err);
	if (r < 0)
		return r;
	r = pic_place_bytes(place, "sha256", PIC_OPTIONAL, out->digest, PIC_DIGEST_SIZE,
			    &out->has_digest, err);
	if (r < 0)
		return r;
	r = read_url(place, &out->url, err);
	if (r < 0)
		return r;
	r = read_properties(place, &out->properties, err);
	if (r < 0)
		return r;
	r = read_dependencies(place, out, err);
	return r < 0 ? r : read_approval(place, out, err);
}

static int read_components(const struct pic_place *place, struct pic_document *out,
			   struct pic_error *err)
{
	size_t count = 0;
	int r = pic_place_count(place, "components", PIC_DOCUMENT_COMPONENTS_MAX, &count, err);

	if (r < 0 || count == 0)
		return r;
	out->components = calloc(count, sizeof(*out->components));
	if (!out->components)
		return pic_error_set(err, -ENOMEM, "no memory for the document");
	for (size_t i = 0; i < count; i++) {
		struct pic_place item;

		r = pic_place_item(place, "components", i, &item, err);
		if (r < 0)
			return r;
		out->component_count++; /* also a half-read one is freed */
		r = read_component(&item, out->revision, &out->components[i], err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int read_removed(const struct pic_place *place, struct pic_document *out,
			struct pic_error *err)
{
	size_t count = 0;
	int r = pic_place_count(place, "removed", PIC_DOCUMENT_COMPONENTS_MAX, &count, err);

	if (r < 0 || count == 0)
		return r;
	out->removed = calloc(count, sizeof(*out->removed));
	if (!out->removed)
		return pic_error_set(err, -ENOMEM, "no memory for the document");
	out->removed_count = count;
	for (size_t i = 0; i < count; i++) {
		struct pic_place item;

		r = pic_place_item(place, "removed", i, &item, err);
		if (r == 0)
			r = read_name(&item, &out->removed[i].name, err);
		if (r == 0)
			r = pic_place_integer(&item, "revision", PIC_REQUIRED, 1, out->revision,
					      &out->removed[i].revision, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static const struct pic_workload_name *name_at(const struct pic_document *document, size_t index)
{
	if (index < document->component_count)
		return &document->components[index].name;
	return &document->removed[index - document->component_count].name;
}

static int compare_names(const void *a, const void *b)
{
	return pic_workload_name_compare(*(const struct pic_workload_name *const *)a,
					 *(const struct pic_workload_name *const *)b);
}

/* A component is in exactly one list, once. */
static int check_unique(const struct pic_document *document, struct pic_error *err)
{
	size_t count = document->component_count + document->removed_count;
	PIC_FREE const struct pic_workload_name **names = calloc(count + 1, sizeof(*names));

	if (!names)
		return pic_error_set(err, -ENOMEM, "no memory for the document");
	for (size_t i = 0; i < count; i++)
		names[i] = name_at(document, i);
	qsort(names, count, sizeof(*names), compare_names);
	for (size_t i = 1; i < count; i++)
		if (pic_workload_name_compare(names[i - 1], names[i]) == 0)
			return pic_error_set(err, -EINVAL, "document: '%s/%s' is listed twice",
					     names[i]->instance, names[i]->component);
	return 0;
}

static int read_head(const struct pic_place *place, struct pic_document *out, struct pic_error *err)
{
	int r = pic_place_protocol(place, err);

	if (r < 0)
		return r;
	r = pic_place_hex(place, "epoch", PIC_REQUIRED, out->epoch, (PIC_EPOCH_TEXT - 1) / 2, err);
	if (r < 0)
		return r;
	r = pic_place_integer(place, "revision", PIC_REQUIRED, 0, INT64_MAX, &out->revision, err);
	if (r < 0)
		return r;
	r = pic_place_name(place, "device", PIC_REQUIRED, out->device, err);
	if (r < 0)
		return r;
	return pic_place_time(place, "issued-at", PIC_REQUIRED, &out->issued_at_ms, err);
}

int pic_document_parse(struct pic_document **out, const char *text, size_t size,
		       struct pic_error *err)
{
	PIC_CLEANUP(document_free_pointer) struct pic_document *document = NULL;
	PIC_JSON struct pic_json *value = NULL;
	struct pic_place place;
	int r;

	if (size > PIC_DOCUMENT_SIZE_MAX)
		return pic_error_set(err, -EFBIG,
				     "document: %zu bytes are more than the %d allowed", size,
				     PIC_DOCUMENT_SIZE_MAX);
	r = pic_json_parse(&value, text, size, err);
	if (r < 0)
		return pic_error_wrap(err, r, "document");
	r = pic_place_root(&place, value, "document", err);
	if (r < 0)
		return r;
	document = calloc(1, sizeof(*document));
	if (!document)
		return pic_error_set(err, -ENOMEM, "no memory for the document");
	r = read_head(&place, document, err);
	if (r == 0)
		r = read_components(&place, document, err);
	if (r == 0)
		r = read_removed(&place, document, err);
	if (r == 0)
		r = check_unique(document, err);
	if (r < 0)
		return r;
	*out = PIC_STEAL(document);
	return 0;
}

static void write_dependencies(const struct pic_document_component *component,
			       struct pic_json *object)
{
	struct pic_json *array;

	if (component->dependency_count == 0)
		return;
	array = pic_json_new_array();
	for (size_t i = 0; i < component->dependency_count; i++)
		pic_json_append_text(array, component->dependencies[i]);
	pic_json_set(object, "dependencies", array);
}

static void write_approval(const struct pic_document_component *component, struct pic_json *object)
{
	char id[PIC_APPROVAL_TEXT];
	struct pic_json *approval;

	if (!component->has_approval)
		return;
	pic_hex_encode(component->approval, PIC_APPROVAL_SIZE, id);
	approval = pic_json_new_object();
	pic_json_set_text(approval, "id", id);
	pic_json_set(object, "approval", approval);
}

static struct pic_json *write_component(const struct pic_document_component *component)
{
	struct pic_json *object = pic_json_new_object();
	char digest[2 * PIC_DIGEST_SIZE + 1];

	pic_json_set_text(object, "instance", component->name.instance);
	pic_json_set_text(object, "component", component->name.component);
	pic_json_set_text(object, "type", component->type);
	pic_json_set_integer(object, "revision", component->revision);
	if (component->has_digest) {
		pic_hex_encode(component->digest, PIC_DIGEST_SIZE, digest);
		pic_json_set_text(object, "sha256", digest);
	}
	if (component->url)
		pic_json_set_text(object, "url", component->url);
	pic_json_set(object, "properties",
		     component->properties ? pic_json_ref(component->properties)
					   : pic_json_new_object());
	write_dependencies(component, object);
	write_approval(component, object);
	return object;
}

static struct pic_json *write_removed(const struct pic_document_removed *removed)
{
	struct pic_json *object = pic_json_new_object();

	pic_json_set_text(object, "instance", removed->name.instance);
	pic_json_set_text(object, "component", removed->name.component);
	pic_json_set_integer(object, "revision", removed->revision);
	return object;
}

int pic_document_write(const struct pic_document *document, struct pic_buf *out)
{
	PIC_JSON struct pic_json *root = pic_json_new_object();
	struct pic_json *components = pic_json_new_array(), *removed = pic_json_new_array();
	char issued_at[PIC_TIME_TEXT];

	for (size_t i = 0; i < document->component_count; i++)
		pic_json_append(components, write_component(&document->components[i]));
	for (size_t i = 0; i < document->removed_count; i++)
		pic_json_append(removed, write_removed(&document->removed[i]));
	pic_time_format(document->issued_at_ms, issued_at);
	pic_json_set_integer(root, "protocol", PIC_PROTOCOL);
	pic_json_set_text(root, "epoch", document->epoch);
	pic_json_set_integer(root, "revision", document->revision);
	pic_json_set_text(root, "device", document->device);
	pic_json_set_text(root, "issued-at", issued_at);
	pic_json_set(root, "components", components);
	pic_json_set(root, "removed", removed);
	return pic_json_write(root, PIC_JSON_COMPACT, out);
}
