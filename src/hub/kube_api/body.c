/* What the client sent, as a tree. */
#include "hub/kube_api/body.h"

#include <errno.h>

#include "hub/kube_api/protobuf_body.h"
#include "symphony/yaml.h"

static bool refuse_type(const struct pic_kube_request *request, struct pic_kube_answer *answer,
			const char *accepted)
{
	pic_kube_fail(
		answer, 415, NULL, pic_kube_subject(request),
		"the body of the request was in an unknown format - accepted media types include: %s",
		accepted);
	return false;
}

static bool failed(struct pic_kube_answer *answer, const struct pic_error *err)
{
	if (err->code == -ENOMEM)
		pic_kube_fail_memory(answer);
	else
		pic_kube_fail_bad(answer, "the body of the request cannot be read: %s", err->text);
	return false;
}

static int parse_yaml(struct pic_view body, struct pic_json **out, struct pic_error *err)
{
	struct pic_yaml yaml = { 0 };
	int r = pic_yaml_parse(&yaml, body.data, body.size, "body", err);

	if (r < 0)
		return r;
	if (yaml.count == 1)
		*out = pic_json_ref(yaml.documents[0].value);
	else
		r = pic_error_set(err, -EINVAL, "it must hold one document, not %zu", yaml.count);
	pic_yaml_free(&yaml);
	return r;
}

/* JSON is what kubectl sends even where the name says YAML, and it is the faster parser. */
static int parse_yaml_or_json(struct pic_view body, struct pic_json **out, struct pic_error *err)
{
	for (size_t i = 0; i < body.size; i++) {
		if (body.data[i] == '{')
			return pic_json_parse(out, body.data, body.size, err);
		if (body.data[i] != ' ' && body.data[i] != '\n' && body.data[i] != '\t')
			break;
	}
	return parse_yaml(body, out, err);
}

static bool content_is_yaml(const struct pic_kube_request *request)
{
	return pic_kube_content_is(request, "application/yaml") ||
	       pic_kube_content_is(request, "application/x-yaml") ||
	       pic_kube_content_is(request, "text/yaml");
}

bool pic_kube_read_object(const struct pic_kube_request *request, bool may_be_empty,
			  struct pic_json **out, struct pic_kube_answer *answer)
{
	struct pic_error err = PIC_ERROR_INIT;
	struct pic_json *made = NULL;
	int r;

	if (request->body.size == 0) {
		*out = NULL;
		if (!may_be_empty)
			pic_kube_fail_bad(answer, "the request has no body");
		return may_be_empty;
	}
	if (!*request->content_type || pic_kube_content_is(request, "application/json"))
		r = pic_json_parse(&made, request->body.data, request->body.size, &err);
	else if (content_is_yaml(request))
		r = parse_yaml_or_json(request->body, &made, &err);
	else if (pic_kube_content_is(request, PIC_KUBE_PROTOBUF))
		r = pic_kube_protobuf_body(request->body, &made, &err);
	else
		return refuse_type(request, answer,
				   "application/json, application/yaml, " PIC_KUBE_PROTOBUF);
	if (r < 0)
		return failed(answer, &err);
	*out = made;
	return true;
}

bool pic_kube_read_patch(const struct pic_kube_request *request, enum pic_kube_patch *kind,
			 struct pic_json **out, struct pic_kube_answer *answer)
{
	struct pic_error err = PIC_ERROR_INIT;
	struct pic_json *made = NULL;
	bool strategic = pic_kube_content_is(request, "application/strategic-merge-patch+json");
	int r;

	/* Strategic patches know the lists of core types by their keys; a Namespace has none. */
	if (pic_kube_content_is(request, "application/merge-patch+json") ||
	    (strategic && !*request->path.facts->group))
		*kind = PIC_KUBE_PATCH_MERGE;
	else if (pic_kube_content_is(request, "application/json-patch+json"))
		*kind = PIC_KUBE_PATCH_JSON;
	else if (pic_kube_content_is(request, "application/apply-patch+yaml"))
		*kind = PIC_KUBE_PATCH_APPLY;
	else
		return refuse_type(request, answer,
				   "application/json-patch+json, application/merge-patch+json, "
				   "application/apply-patch+yaml");
	if (*kind == PIC_KUBE_PATCH_APPLY)
		r = parse_yaml_or_json(request->body, &made, &err);
	else
		r = pic_json_parse(&made, request->body.data, request->body.size, &err);
	if (r < 0)
		return failed(answer, &err);
	*out = made;
	return true;
}
