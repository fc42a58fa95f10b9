/* The messages of package openapi.v2, as far as kubectl reads them, written innermost first. */
#include "hub/kube_api/openapi_v2.h"

#include <string.h>

#include "hub/kube_api/schema.h"
#include "hub/kube_api/wire.h"

#define PART_BUF struct pic_buf
#define PART_INIT PIC_BUF_INIT(PIC_KUBE_OPENAPI_V2_MAX)

/* Any{ yaml=2 } under the extension's name. */
static void write_extension(struct pic_buf *out, unsigned number,
			    const struct pic_kind_facts *facts, bool as_list)
{
	PIC_BUF PART_BUF yaml = PART_INIT, any = PART_INIT, named = PART_INIT;

	pic_buf_format(&yaml,
		       as_list ? "- group: \"%s\"\n  kind: %s\n  version: %s\n"
			       : "group: \"%s\"\nkind: %s\nversion: %s\n",
		       facts->group, facts->name, facts->version);
	pic_wire_bytes(&any, 2, yaml.data, yaml.size);
	pic_wire_text(&named, 1, "x-kubernetes-group-version-kind");
	pic_wire_message(&named, 2, &any);
	pic_wire_message(out, number, &named);
}

/* ParametersItem{ parameter=1 Parameter{ non_body_parameter=2 { query_parameter_sub_schema=3 }}} */
static void write_parameter(struct pic_buf *operation, const char *name)
{
	PIC_BUF PART_BUF query = PART_INIT, non_body = PART_INIT, parameter = PART_INIT,
			 item = PART_INIT;

	pic_wire_text(&query, 2, "query");
	pic_wire_text(&query, 4, name);
	pic_wire_text(&query, 6, "string");
	pic_wire_message(&non_body, 3, &query);
	pic_wire_message(&parameter, 2, &non_body);
	pic_wire_message(&item, 1, &parameter);
	pic_wire_message(operation, 8, &item);
}

static void write_path(struct pic_buf *paths, const struct pic_kube_openapi_v2 *what,
		       const struct pic_kind_facts *facts)
{
	PIC_BUF PART_BUF operation = PART_INIT, path_item = PART_INIT, named = PART_INIT;
	PIC_BUF PART_BUF name = PART_INIT;

	for (const char *const *parameter = what->parameters; *parameter; parameter++)
		write_parameter(&operation, *parameter);
	write_extension(&operation, 13, facts, false);
	pic_wire_message(&path_item, 8, &operation);
	pic_kube_collection_path(facts, &name);
	pic_buf_text_add(&name, "/{name}");
	pic_wire_bytes(&named, 1, name.data, name.size);
	pic_wire_message(&named, 2, &path_item);
	pic_wire_message(paths, 2, &named);
}

static void write_schema(struct pic_buf *out, const struct pic_json *schema,
			 const struct pic_kind_facts *facts);

static void write_named_schema(struct pic_buf *out, unsigned number, const char *name,
			       const struct pic_json *schema, const struct pic_kind_facts *facts)
{
	PIC_BUF PART_BUF body = PART_INIT, named = PART_INIT;

	write_schema(&body, schema, facts);
	pic_wire_text(&named, 1, name);
	pic_wire_message(&named, 2, &body);
	pic_wire_message(out, number, &named);
}

/* A schema inside a wrapper message whose field 1 it is. */
static void write_wrapped(struct pic_buf *out, unsigned number, const struct pic_json *schema)
{
	PIC_BUF PART_BUF body = PART_INIT, wrapper = PART_INIT;

	if (!schema)
		return;
	write_schema(&body, schema, NULL);
	pic_wire_message(&wrapper, 1, &body);
	pic_wire_message(out, number, &wrapper);
}

static void write_properties(struct pic_buf *out, const struct pic_json *properties)
{
	PIC_BUF PART_BUF all = PART_INIT;

	if (!properties)
		return;
	pic_json_each(properties, i)
		write_named_schema(&all, 1, pic_json_key(i), pic_json_value(i), NULL);
	pic_wire_message(out, 25, &all);
}

static bool is_open(const struct pic_json *schema)
{
	return pic_json_get(schema, "x-kubernetes-preserve-unknown-fields") != NULL;
}

/* kubectl refuses keys beside listed ones, so those of an open object are listed in its sentence. */
static void write_description(struct pic_buf *out, const struct pic_json *schema)
{
	const char *description = pic_json_get_text(schema, "description");
	const struct pic_json *known = is_open(schema) ? pic_json_get(schema, "properties") : NULL;
	PIC_BUF PART_BUF text = PART_INIT;

	if (!description)
		return;
	pic_buf_text_add(&text, description);
	pic_json_each(known, i)
		pic_buf_format(&text, "\n\n%s: %s", pic_json_key(i),
			       pic_json_text_or(pic_json_get(pic_json_value(i), "description"),
						""));
	pic_wire_text(out, 4, pic_buf_text(&text));
}

/* `facts` is set for the schema of a whole kind, which says so in its extension. */
static void write_schema(struct pic_buf *out, const struct pic_json *schema,
			 const struct pic_kind_facts *facts)
{
	const char *format = pic_json_get_text(schema, "format");
	const char *type = pic_json_get_text(schema, "type");

	if (format)
		pic_wire_text(out, 2, format);
	write_description(out, schema);
	write_wrapped(out, 21, pic_json_get(schema, "additionalProperties"));
	if (type) {
		PIC_BUF PART_BUF value = PART_INIT;
		pic_wire_text(&value, 1, type);
		pic_wire_message(out, 22, &value);
	}
	write_wrapped(out, 23, pic_json_get(schema, "items"));
	if (!is_open(schema))
		write_properties(out, pic_json_get(schema, "properties"));
	if (facts)
		write_extension(out, 31, facts, true);
}

static void write_definition(struct pic_buf *definitions, const struct pic_kind_facts *facts)
{
	PIC_JSON struct pic_json *schema = pic_kube_schema(facts);
	PIC_BUF PART_BUF name = PART_INIT;

	pic_kube_schema_name(facts, &name);
	if (!schema)
		definitions->failed = true;
	write_named_schema(definitions, 1, pic_buf_text(&name), schema, facts);
}

int pic_kube_openapi_v2_write(const struct pic_kube_openapi_v2 *what, struct pic_buf *out,
			      struct pic_error *err)
{
	PIC_BUF PART_BUF info = PART_INIT, paths = PART_INIT, definitions = PART_INIT;

	pic_wire_text(out, 1, "2.0");
	pic_wire_text(&info, 1, what->title);
	pic_wire_text(&info, 2, what->version);
	pic_wire_message(out, 2, &info);
	for (const struct pic_kind_facts *const *facts = what->kinds; *facts; facts++) {
		write_path(&paths, what, *facts);
		if (what->definitions && *(*facts)->group)
			write_definition(&definitions, *facts);
	}
	pic_wire_message(out, 8, &paths);
	if (what->definitions)
		pic_wire_message(out, 9, &definitions);
	return pic_buf_check(out, "the OpenAPI document", err);
}
