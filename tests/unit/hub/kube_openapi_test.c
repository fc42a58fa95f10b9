/* OpenAPI documents: the known bytes of a small one, and every kind in the full ones. */
#include "hub/kube_testing.h"

#include "base/text.h"
#include "hub/kube_api/openapi_v2.h"
#include "hub/kube_api/openapi_v3.h"
#include "hub/kube_api/schema.h"
#include "hub/kube_api/wire.h"

/* Title Hub, version v1, PATCH of a target with the parameter dryRun: bytes that real kubectl accepted. */
static const char known[] =
	"0a03322e3012090a034875621202763142bf0112bc010a3e2f617069732f6661627269632e73796d70686f6e792f76312f6e616d"
	"6573706163"
	"65732f7b6e616d6573706163657d2f746172676574732f7b6e616d657d127a4278421d0a1b12191a171205717565727922066472"
	"7952756e3206737472696e676a570a1f782d6b756265726e657465732d67726f75702d76657273696f6e2d6b696e641234123267"
	"726f75703a20226661627269632e73796d70686f6e79220a6b696e643a205461726765740a76657273696f6e3a2076310a";

static void known_bytes(void **state)
{
	static const char *const parameters[] = { "dryRun", NULL };
	const struct pic_kind_facts *kinds[] = { pic_kind_facts(PIC_KIND_TARGET), NULL };
	const struct pic_kube_openapi_v2 what = { "Hub", "v1", kinds, parameters, false };
	PIC_BUF struct pic_buf out = PIC_BUF_INIT(65536);
	char hex[1024];

	(void)state;
	assert_int_equal(pic_kube_openapi_v2_write(&what, &out, NULL), 0);
	assert_int_equal(out.size, strlen(known) / 2);
	pic_hex_encode(out.data, out.size, hex);
	assert_string_equal(hex, known);
}

/* The first field of that number in a message. */
static struct pic_view field_of(struct pic_view message, unsigned number)
{
	struct pic_wire_field field;

	while (pic_wire_next(&message, &field) > 0)
		if (field.number == number && field.type == 2)
			return field.bytes;
	return (struct pic_view){ NULL, 0 };
}

/* The value of the entry of that name among the repeated {name=1; value=2} of `number`. */
static struct pic_view named(struct pic_view message, unsigned number, const char *name)
{
	struct pic_wire_field field;

	while (pic_wire_next(&message, &field) > 0) {
		if (field.number != number || field.type != 2)
			continue;
		struct pic_view is = field_of(field.bytes, 1);
		if (is.size == strlen(name) && memcmp(is.data, name, is.size) == 0)
			return field_of(field.bytes, 2);
	}
	return (struct pic_view){ NULL, 0 };
}

static struct pic_view property(struct pic_view schema, const char *name)
{
	return named(field_of(schema, 25), 1, name);
}

static void assert_type(struct pic_view schema, const char *type)
{
	struct pic_view is = field_of(field_of(schema, 22), 1);

	assert_int_equal(is.size, strlen(type));
	assert_memory_equal(is.data, type, is.size);
}

static void definitions_of_all_but_core(void **state)
{
	static const char *const parameters[] = { "dryRun", NULL };
	const struct pic_kind_facts *kinds[] = { pic_kind_facts(PIC_KIND_INSTANCE),
						 pic_kind_facts(PIC_KIND_SOLUTION),
						 pic_kind_facts(PIC_KIND_NAMESPACE), NULL };
	const struct pic_kube_openapi_v2 what = { "Hub", "v1", kinds, parameters, true };
	PIC_BUF struct pic_buf out = PIC_BUF_INIT(1024 * 1024);

	(void)state;
	assert_int_equal(pic_kube_openapi_v2_write(&what, &out, NULL), 0);
	struct pic_view document = pic_buf_view(&out);
	struct pic_view definitions = field_of(document, 9);
	assert_non_null(named(field_of(document, 8), 2, "/api/v1/namespaces/{name}").data);
	assert_null(named(definitions, 1, "core.v1.Namespace").data);
	struct pic_view instance = named(definitions, 1, "symphony.solution.v1.Instance");
	assert_type(instance, "object");
	struct pic_view spec = property(instance, "spec");
	assert_type(property(spec, "solution"), "string");
	assert_type(property(property(spec, "target"), "name"), "string");
	/* text maps say what their values are */
	assert_type(field_of(field_of(property(property(spec, "target"), "selector"), 21), 1),
		    "string");
	struct pic_view solution = named(definitions, 1, "symphony.solution.v1.Solution");
	struct pic_view components = property(property(solution, "spec"), "components");
	assert_type(components, "array");
	struct pic_view item = field_of(field_of(components, 23), 1);
	assert_type(property(item, "name"), "string");
	assert_type(property(item, "dependencies"), "array");
	/* the properties that types know are told, and others are not refused */
	struct pic_view settings = property(item, "properties"), told = field_of(settings, 4);
	assert_non_null(memmem(told.data, told.size, "wasm.listen: ", strlen("wasm.listen: ")));
	assert_null(field_of(settings, 25).data);
	assert_null(field_of(item, 19).data); /* nothing is published as required */
}

static void v3_has_a_document_for_every_group(void **state)
{
	PIC_JSON struct pic_json *index = pic_kube_openapi_v3_index();
	const struct pic_kind_facts *facts;
	int kinds = 0;

	(void)state;
	for (int i = 0; (facts = pic_kube_next_kind(NULL, &i)); kinds++) {
		PIC_BUF struct pic_buf key = PIC_BUF_INIT(256), path = PIC_BUF_INIT(256);
		PIC_BUF struct pic_buf name = PIC_BUF_INIT(256);
		pic_buf_format(&key, *facts->group ? "apis/%s/%s" : "api%s/%s", facts->group,
			       facts->version);
		assert_non_null(pic_json_find(index, "paths", pic_buf_text(&key), NULL));
		PIC_JSON struct pic_json *document =
			pic_kube_openapi_v3_group(facts->group, facts->version);
		pic_kube_collection_path(facts, &path);
		pic_buf_text_add(&path, "/{name}");
		pic_kube_schema_name(facts, &name);
		assert_non_null(
			pic_json_find(document, "paths", pic_buf_text(&path), "patch", NULL));
		assert_non_null(pic_json_find(document, "components", "schemas",
					      pic_buf_text(&name), NULL));
	}
	assert_true(kinds >= 6);
	PIC_JSON struct pic_json *solutions = pic_kube_openapi_v3_group("solution.symphony", "v1");
	struct pic_json *settings = pic_json_find(solutions, "components", "schemas",
						  "symphony.solution.v1.Solution", "properties",
						  "spec", "properties", "components", "items",
						  "properties", "properties", NULL);
	assert_non_null(pic_json_find(settings, "properties", "wasm.listen", "description", NULL));
	assert_non_null(pic_json_get(settings, "x-kubernetes-preserve-unknown-fields"));
	assert_null(pic_kube_openapi_v3_group("nobody.symphony", "v1"));
	assert_null(pic_kube_openapi_v3_group("solution.symphony", "v2"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_bytes),
		cmocka_unit_test(definitions_of_all_but_core),
		cmocka_unit_test(v3_has_a_document_for_every_group),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
