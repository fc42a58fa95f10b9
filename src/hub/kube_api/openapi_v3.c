/* OpenAPI v3 documents out of the kind table. */
#include "hub/kube_api/openapi_v3.h"

#include <string.h>

#include "base/version.h"
#include "hub/kube_api/schema.h"

static struct pic_json *query_parameter(const char *name)
{
	struct pic_json *parameter = pic_json_new_object();

	pic_json_set_text(parameter, "name", name);
	pic_json_set_text(parameter, "in", "query");
	return parameter;
}

/* PATCH of one object. Its body types are not listed: with the strategic one kubectl would use it. */
static struct pic_json *patch_operation(const struct pic_kind_facts *facts)
{
	struct pic_json *patch = pic_json_new_object();
	struct pic_json *gvk = pic_json_ensure_object(patch, "x-kubernetes-group-version-kind");
	struct pic_json *parameters = pic_json_new_array();

	pic_json_set_text(gvk, "group", facts->group);
	pic_json_set_text(gvk, "kind", facts->name);
	pic_json_set_text(gvk, "version", facts->version);
	pic_json_append(parameters, query_parameter("dryRun"));
	pic_json_append(parameters, query_parameter("fieldManager"));
	pic_json_append(parameters, query_parameter("fieldValidation"));
	pic_json_append(parameters, query_parameter("force"));
	pic_json_set(patch, "parameters", parameters);
	return patch;
}

static void add_kind(struct pic_json *document, const struct pic_kind_facts *facts)
{
	PIC_BUF struct pic_buf name = PIC_BUF_INIT(1024);
	struct pic_json *paths = pic_json_ensure_object(document, "paths");
	struct pic_json *components = pic_json_ensure_object(document, "components");

	pic_kube_collection_path(facts, &name);
	pic_buf_text_add(&name, "/{name}");
	pic_json_set(pic_json_ensure_object(paths, pic_buf_text(&name)), "patch",
		     patch_operation(facts));
	pic_buf_clear(&name);
	pic_kube_schema_name(facts, &name);
	pic_json_set(pic_json_ensure_object(components, "schemas"), pic_buf_text(&name),
		     pic_kube_schema(facts));
}

struct pic_json *pic_kube_openapi_v3_group(const char *group, const char *version)
{
	PIC_JSON struct pic_json *document = pic_json_new_object();
	struct pic_json *info = pic_json_ensure_object(document, "info");
	const struct pic_kind_facts *facts;
	bool found = false;

	pic_json_set_text(document, "openapi", "3.0.0");
	pic_json_set_text(info, "title", "piccolo-hub");
	pic_json_set_text(info, "version", PIC_VERSION);
	for (int i = 0; (facts = pic_kube_next_kind(group, &i));) {
		if (strcmp(facts->version, version) != 0)
			continue;
		add_kind(document, facts);
		found = true;
	}
	return found ? PIC_STEAL(document) : NULL;
}

struct pic_json *pic_kube_openapi_v3_index(void)
{
	struct pic_json *index = pic_json_new_object();
	struct pic_json *paths = pic_json_ensure_object(index, "paths");
	const struct pic_kind_facts *facts;

	for (int i = 0; (facts = pic_kube_next_kind(NULL, &i));) {
		PIC_BUF struct pic_buf key = PIC_BUF_INIT(256), url = PIC_BUF_INIT(256);
		pic_buf_format(&key, "api%s%s/%s", *facts->group ? "s/" : "", facts->group,
			       facts->version);
		pic_buf_format(&url, "/openapi/v3/%s", pic_buf_text(&key));
		pic_json_set_text(pic_json_ensure_object(paths, pic_buf_text(&key)),
				  "serverRelativeURL", pic_buf_text(&url));
	}
	return index;
}
