/*
 * Discovery: which groups and resources there are, in the legacy form (every kubectl reads it) and in
 * the aggregated one (1.27 and later, one request in place of one a group). Pure; NULL when memory is
 * short or the group is unknown.
 */
#ifndef PIC_HUB_KUBE_API_DISCOVERY_H
#define PIC_HUB_KUBE_API_DISCOVERY_H

#include "base/json.h"

struct pic_json *pic_kube_core_versions(void);				     /* GET /api */
struct pic_json *pic_kube_groups(void);					     /* GET /apis */
struct pic_json *pic_kube_group(const char *group);			     /* GET /apis/{group} */
struct pic_json *pic_kube_resources(const char *group, const char *version); /* .../{version} */
/* The same for both of /api (core) and /apis; `version` is "v2" or "v2beta1". */
struct pic_json *pic_kube_aggregated(bool core, const char *version);
/* Content-Type of the aggregated form: kubectl reads it as the legacy one under any other. */
void pic_kube_aggregated_type(const char *version, struct pic_buf *out);
struct pic_json *pic_kube_version(void); /* GET /version */

#endif
