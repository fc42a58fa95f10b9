/*
 * JSON merge patch (RFC 7386): what `kubectl apply`, `edit`, `label` and `patch --type merge` send.
 * Pure. The result shares nothing with its inputs; NULL only when memory is short.
 */
#ifndef PIC_HUB_KUBE_API_MERGE_PATCH_H
#define PIC_HUB_KUBE_API_MERGE_PATCH_H

#include "base/json.h"

struct pic_json *pic_kube_merge(const struct pic_json *target, const struct pic_json *patch);

#endif
