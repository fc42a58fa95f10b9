/*
 * What a write may and may not change outside of the spec: identity, server-owned metadata, status,
 * generation. Pure; trees are changed in place, they are the caller's own.
 */
#ifndef PIC_HUB_KUBE_API_METADATA_H
#define PIC_HUB_KUBE_API_METADATA_H

#include "hub/kube_api/request.h"
#include "symphony/object.h"

#define PIC_KUBE_ANNOTATIONS_MAX (256 * 1024)

/* apiVersion, kind, name and namespace agree with the URL; what is left out is filled in. False: 400. */
bool pic_kube_check_identity(const struct pic_kube_request *request, struct pic_json *wanted,
			     struct pic_kube_answer *answer);
/* resourceVersion and uid, when the client names them, are those of `live`. False: 409. */
bool pic_kube_check_version(const struct pic_kube_request *request, const struct pic_object *live,
			    const struct pic_json *wanted, struct pic_kube_answer *answer);
/* "name" out of generateName and five characters, when there is no name. */
void pic_kube_generate_name(struct pic_json *wanted);
/* Removes null members where the schema says what stands there; below "anything" they are content. */
void pic_kube_drop_nulls(const struct pic_kind_facts *facts, struct pic_json *wanted);
/* Everything the server owns is what it was in `live` (NULL: a new object), whatever the client sent. */
void pic_kube_settle_metadata(const struct pic_object *live, struct pic_json *wanted);
/* generation: 1 at birth, one more when something outside metadata and status is another. */
void pic_kube_settle_generation(const struct pic_object *live, struct pic_json *wanted);
/* Labels and annotations as Kubernetes wants them; causes of a 422. */
void pic_kube_check_metadata(const struct pic_json *wanted, struct pic_json *causes);

#endif
