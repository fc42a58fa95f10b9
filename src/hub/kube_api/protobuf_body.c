/* Four small messages of Kubernetes' API, by tables of their fields. */
#include "hub/kube_api/protobuf_body.h"

#include <errno.h>
#include <string.h>

#include "hub/kube_api/wire.h"

enum shape { SHAPE_TEXT, SHAPE_MESSAGE, SHAPE_TEXT_MAP };

struct message_field {
	unsigned number; /* 0 ends a table */
	enum shape shape;
	const char *name;
	const struct message_field *fields; /* MESSAGE */
};

static const struct message_field meta_fields[] = {
	{ 1, SHAPE_TEXT, "name", NULL },
	{ 2, SHAPE_TEXT, "generateName", NULL },
	{ 3, SHAPE_TEXT, "namespace", NULL },
	{ 11, SHAPE_TEXT_MAP, "labels", NULL },
	{ 12, SHAPE_TEXT_MAP, "annotations", NULL },
	{ 0 },
};
static const struct message_field namespace_fields[] = {
	{ 1, SHAPE_MESSAGE, "metadata", meta_fields },
	{ 0 },
};
static const struct message_field resource_fields[] = {
	{ 1, SHAPE_TEXT, "namespace", NULL }, { 2, SHAPE_TEXT, "verb", NULL },
	{ 3, SHAPE_TEXT, "group", NULL },     { 4, SHAPE_TEXT, "version", NULL },
	{ 5, SHAPE_TEXT, "resource", NULL },  { 6, SHAPE_TEXT, "subresource", NULL },
	{ 7, SHAPE_TEXT, "name", NULL },      { 0 },
};
static const struct message_field url_fields[] = {
	{ 1, SHAPE_TEXT, "path", NULL },
	{ 2, SHAPE_TEXT, "verb", NULL },
	{ 0 },
};
static const struct message_field access_fields[] = {
	{ 1, SHAPE_MESSAGE, "resourceAttributes", resource_fields },
	{ 2, SHAPE_MESSAGE, "nonResourceAttributes", url_fields },
	{ 0 },
};
static const struct message_field rules_fields[] = { { 1, SHAPE_TEXT, "namespace", NULL }, { 0 } };
static const struct message_field access_review_fields[] = {
	{ 1, SHAPE_MESSAGE, "metadata", meta_fields },
	{ 2, SHAPE_MESSAGE, "spec", access_fields },
	{ 0 },
};
static const struct message_field rules_review_fields[] = {
	{ 1, SHAPE_MESSAGE, "metadata", meta_fields },
	{ 2, SHAPE_MESSAGE, "spec", rules_fields },
	{ 0 },
};

static const struct {
	const char *kind;
	const struct message_field *fields;
} kinds[] = {
	{ "Namespace", namespace_fields },
	{ "SelfSubjectAccessReview", access_review_fields },
	{ "SelfSubjectRulesReview", rules_review_fields },
	{ "SelfSubjectReview", namespace_fields }, /* metadata only, like a namespace */
};

static int damaged(struct pic_error *err, const char *what)
{
	return pic_error_set(err, -EBADMSG, "the protocol buffer of the request is damaged: %s",
			     what);
}

static int set_text(struct pic_json *into, const char *name, struct pic_view bytes,
		    struct pic_error *err)
{
	if (bytes.size == 0) /* how unset fields arrive */
		return 0;
	struct pic_json *text = pic_json_new_text_sized(bytes.data, bytes.size);
	if (!text)
		return damaged(err, "a text that is not UTF-8, or has a NUL in it");
	return pic_json_set(into, name, text);
}

/* One entry {key=1; value=2} of a map. */
static int set_entry(struct pic_json *map, struct pic_view entry, struct pic_error *err)
{
	struct pic_view key = { 0 }, value = { 0 };
	struct pic_wire_field field;
	int r;

	while ((r = pic_wire_next(&entry, &field)) > 0) {
		if (field.number == 1 && field.type == 2)
			key = field.bytes;
		if (field.number == 2 && field.type == 2)
			value = field.bytes;
	}
	if (r < 0)
		return damaged(err, "a map entry ends too early");
	if (key.size == 0 || key.size > 1024 || memchr(key.data, '\0', key.size))
		return damaged(err, "a map entry without a proper key");
	PIC_FREE char *name = strndup(key.data, key.size);
	PIC_JSON struct pic_json *is_text = name ? pic_json_new_text(name) : NULL;
	if (!is_text)
		return damaged(err, "a key that is not UTF-8");
	if (value.size == 0)
		return pic_json_set_text(map, name, "");
	return set_text(map, name, value, err);
}

static int decode(struct pic_json *into, const struct message_field *fields,
		  struct pic_view message, struct pic_error *err);

static int decode_field(struct pic_json *into, const struct message_field *is,
			struct pic_view bytes, struct pic_error *err)
{
	switch (is->shape) {
	case SHAPE_TEXT:
		return set_text(into, is->name, bytes, err);
	case SHAPE_MESSAGE:
		return decode(pic_json_ensure_object(into, is->name), is->fields, bytes, err);
	case SHAPE_TEXT_MAP:
		return set_entry(pic_json_ensure_object(into, is->name), bytes, err);
	}
	return 0;
}

/* Fields that are not in the table are skipped. The depth is that of the tables. */
static int decode(struct pic_json *into, const struct message_field *fields,
		  struct pic_view message, struct pic_error *err)
{
	struct pic_wire_field field;
	int r;

	while ((r = pic_wire_next(&message, &field)) > 0) {
		const struct message_field *is = fields;
		while (is->number && is->number != field.number)
			is++;
		if (!is->number || field.type != 2)
			continue;
		r = decode_field(into, is, field.bytes, err);
		if (r < 0)
			return r;
	}
	return r < 0 ? damaged(err, "it ends in the middle of a field") : 0;
}

/* Unknown{ typeMeta=1 {apiVersion=1; kind=2}; raw=2 } */
struct envelope {
	struct pic_view api_version, kind, raw;
};

static int open_envelope(struct pic_view body, struct envelope *out, struct pic_error *err)
{
	struct pic_wire_field field;
	struct pic_view meta = { 0 };
	int r, inner = 0;

	if (body.size < 4 || memcmp(body.data, "k8s\0", 4) != 0)
		return damaged(err, "it does not begin with the mark of Kubernetes");
	body.data += 4;
	body.size -= 4;
	while ((r = pic_wire_next(&body, &field)) > 0) {
		if (field.number == 1 && field.type == 2)
			meta = field.bytes;
		if (field.number == 2 && field.type == 2)
			out->raw = field.bytes;
	}
	while (r == 0 && (inner = pic_wire_next(&meta, &field)) > 0) {
		if (field.number == 1 && field.type == 2)
			out->api_version = field.bytes;
		if (field.number == 2 && field.type == 2)
			out->kind = field.bytes;
	}
	return r < 0 || inner < 0 ? damaged(err, "its envelope ends too early") : 0;
}

static bool is(struct pic_view view, const char *text)
{
	return view.size == strlen(text) && memcmp(view.data, text, view.size) == 0;
}

int pic_kube_protobuf_body(struct pic_view body, struct pic_json **out, struct pic_error *err)
{
	struct envelope envelope = { 0 };
	int r = open_envelope(body, &envelope, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < PIC_COUNT(kinds); i++) {
		if (!is(envelope.kind, kinds[i].kind))
			continue;
		PIC_JSON struct pic_json *made = pic_json_new_object();
		r = set_text(made, "apiVersion", envelope.api_version, err);
		if (r >= 0)
			r = pic_json_set_text(made, "kind", kinds[i].kind);
		if (r >= 0)
			r = decode(made, kinds[i].fields, envelope.raw, err);
		if (r < 0)
			return pic_error_wrap(err, r, "%s", kinds[i].kind);
		*out = PIC_STEAL(made);
		return 0;
	}
	return pic_error_set(err, -ENOTSUP,
			     "this kind is not accepted as a protocol buffer; send it as JSON");
}
