/*
 * /openapi/v3: one JSON document a group. It tells kubectl 1.27 and later that the server validates
 * fields itself, and it is what `kubectl explain` prints.
 */
#ifndef PIC_HUB_KUBE_API_OPENAPI_V3_H
#define PIC_HUB_KUBE_API_OPENAPI_V3_H

#include "base/json.h"

/* The index of all groups. NULL when memory is short, here and below. */
struct pic_json *pic_kube_openapi_v3_index(void);
/* Group "" is core. NULL too when there is no such group. */
struct pic_json *pic_kube_openapi_v3_group(const char *group, const char *version);

#endif
