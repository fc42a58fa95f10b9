/*
 * Which objects a list or a watch is about: a kind, a namespace or all, a label and a field selector.
 */
#ifndef PIC_HUB_KUBE_API_FILTER_H
#define PIC_HUB_KUBE_API_FILTER_H

#include "hub/kube_api/request.h"
#include "hub/kube_api/selector.h"
#include "symphony/object.h"

struct pic_kube_filter {
	enum pic_kind kind;
	char space[PIC_NAME_MAX + 1]; /* "": all */
	struct pic_selector labels, fields;
};

/* False: the answer is a 400. */
bool pic_kube_filter_read(const struct pic_kube_request *request, struct pic_kube_filter *out,
			  struct pic_kube_answer *answer);
void pic_kube_filter_free(struct pic_kube_filter *filter);
/* Hidden objects match nothing; NULL neither. */
bool pic_kube_filter_match(const struct pic_kube_filter *filter, const struct pic_object *object);

#define PIC_KUBE_FILTER PIC_CLEANUP(pic_kube_filter_free)

#endif
