/*
 * The path of a request under /api/v1 or /apis/<group>/<version>, taken apart: which kind, which
 * namespace, which object, which subresource.
 */
#ifndef PIC_HUB_KUBE_API_PATH_H
#define PIC_HUB_KUBE_API_PATH_H

#include "base/text.h"
#include "symphony/kind.h"

struct pic_kube_path {
	const struct pic_kind_facts *facts; /* NULL: a review, see `plural` */
	char group[64];
	char version[16];
	char plural[64];
	char space[PIC_NAME_MAX + 1];	    /* "": all namespaces, or a cluster-scoped kind */
	char name[PIC_OBJECT_NAME_MAX + 1]; /* "": the collection */
	bool status;			    /* the /status subresource */
};

/* `path` is percent-encoded, as it came. -ENOENT: nothing the hub serves lives there. */
int pic_kube_path_parse(const char *path, struct pic_kube_path *out);

#endif
