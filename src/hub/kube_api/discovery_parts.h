/*
 * What both forms of discovery say in the same words. Internal to discovery*.c.
 */
#ifndef PIC_HUB_KUBE_API_DISCOVERY_PARTS_H
#define PIC_HUB_KUBE_API_DISCOVERY_PARTS_H

#include "hub/kube_api/discovery.h"
#include "symphony/kind.h"

/* One group and version, in the order of discovery. */
struct pic_kube_group_version {
	const char *group, *version;
};

#define PIC_KUBE_GROUPS_MAX 16

/* All but core; versions of one group stand together. */
size_t pic_kube_list_groups(struct pic_kube_group_version all[PIC_KUBE_GROUPS_MAX]);
struct pic_json *pic_kube_text_list(const char *const *texts); /* NULL-ended */
struct pic_json *pic_kube_status_verbs(const struct pic_kind_facts *facts);
struct pic_json *pic_kube_categories(const struct pic_kind_facts *facts);
struct pic_json *pic_kube_short_names(const struct pic_kind_facts *facts);

#endif
