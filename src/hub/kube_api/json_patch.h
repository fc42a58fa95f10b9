/*
 * JSON patch (RFC 6902) with JSON pointers (RFC 6901): what `kubectl patch --type json` sends. Pure.
 *
 * All operations happen or none: the target is not touched, the result is a new tree. The number of
 * operations, the depth of the result and the bytes that all of it may walk or shift are bounded, so
 * that a small patch cannot grow into a large tree.
 *
 * Errors: -EBADMSG the patch document is wrong; -EINVAL an operation cannot be done on this target;
 * -E2BIG a bound; -ENOMEM.
 */
#ifndef PIC_HUB_KUBE_API_JSON_PATCH_H
#define PIC_HUB_KUBE_API_JSON_PATCH_H

#include "base/json.h"

#define PIC_KUBE_PATCH_OPERATIONS_MAX 10000
#define PIC_KUBE_PATCH_WORK_MAX (16u * 1024 * 1024)

int pic_kube_json_patch(const struct pic_json *target, const struct pic_json *operations,
			struct pic_json **out, struct pic_error *err);

#endif
