/*
 * Request bodies to JSON, by Content-Type: JSON (also when none is given, as old kubectl does), YAML,
 * and protocol buffers where kubectl sends them. Pure.
 */
#ifndef PIC_HUB_KUBE_API_BODY_H
#define PIC_HUB_KUBE_API_BODY_H

#include "hub/kube_api/request.h"

enum pic_kube_patch {
	PIC_KUBE_PATCH_MERGE,
	PIC_KUBE_PATCH_JSON,
	PIC_KUBE_PATCH_APPLY,
};

/* The object of a POST or PUT, or the options of a DELETE; false: the answer says why (400, 415). An
 * empty body gives *out NULL and true when `may_be_empty`. */
bool pic_kube_read_object(const struct pic_kube_request *request, bool may_be_empty,
			  struct pic_json **out, struct pic_kube_answer *answer);
/* The document of a PATCH and what kind of patch it is. */
bool pic_kube_read_patch(const struct pic_kube_request *request, enum pic_kube_patch *kind,
			 struct pic_json **out, struct pic_kube_answer *answer);

#endif
