/* Filters of lists and watches. */
#include "hub/kube_api/filter.h"

#include <string.h>

#include "hub/kube_api/present.h"

void pic_kube_filter_free(struct pic_kube_filter *filter)
{
	pic_selector_free(&filter->labels);
	pic_selector_free(&filter->fields);
}

bool pic_kube_filter_read(const struct pic_kube_request *request, struct pic_kube_filter *out,
			  struct pic_kube_answer *answer)
{
	struct pic_error err = PIC_ERROR_INIT;
	PIC_KUBE_FILTER struct pic_kube_filter made = { .kind = request->path.facts->kind };

	strcpy(made.space, request->path.space);
	int r = pic_selector_parse_labels(pic_kube_query(request, "labelSelector"), &made.labels,
					  &err);
	if (r >= 0)
		r = pic_selector_parse_fields(pic_kube_query(request, "fieldSelector"),
					      request->path.facts, &made.fields, &err);
	if (r < 0) {
		pic_kube_fail_bad(answer, "%s", err.text);
		return false;
	}
	*out = made;
	made = (struct pic_kube_filter){ 0 };
	return true;
}

bool pic_kube_filter_match(const struct pic_kube_filter *filter, const struct pic_object *object)
{
	return pic_kube_is_visible(object) && object->kind == filter->kind &&
	       (!*filter->space || strcmp(filter->space, object->space) == 0) &&
	       pic_selector_match_labels(&filter->labels, object->json) &&
	       pic_selector_match_fields(&filter->fields, object->json);
}
