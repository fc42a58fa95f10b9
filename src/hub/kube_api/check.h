/*
 * Validation of a write: the schema's findings as the kube API words them, and hints about other
 * objects that are worth a warning but no refusal. Pure.
 */
#ifndef PIC_HUB_KUBE_API_CHECK_H
#define PIC_HUB_KUBE_API_CHECK_H

#include "hub/kube_api/request.h"
#include "hub/kube_api/world.h"

/* False: the answer is a 422 with causes, or a 400 for unknown fields under Strict. Unknown fields are
 * warnings under Warn. */
bool pic_kube_check(const struct pic_kube_request *request, enum pic_kube_validation validation,
		    const struct pic_object *live, const struct pic_json *wanted,
		    struct pic_kube_answer *answer);
/* "there is no solution app yet", "no target has these properties yet". */
void pic_kube_hint(const struct pic_kube_world *world, enum pic_kind kind, const char *space,
		   const struct pic_json *wanted, struct pic_kube_answer *answer);

#endif
