/*
 * /openapi/v2: the protobuf document that kubectl of any age asks for before `apply` and `create`. Its
 * paths turn on --dry-run=server and `diff` in old versions, its definitions their validation and
 * `explain`. Core types have a path but no definition: with one, old kubectl warns at each apply.
 */
#ifndef PIC_HUB_KUBE_API_OPENAPI_V2_H
#define PIC_HUB_KUBE_API_OPENAPI_V2_H

#include "base/buffer.h"
#include "symphony/kind.h"

/* Never the media type that was asked for: with its '@' old kubectl dies. */
#define PIC_KUBE_OPENAPI_V2_TYPE "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
#define PIC_KUBE_OPENAPI_V2_MAX (1024 * 1024)

struct pic_kube_openapi_v2 {
	const char *title, *version;
	const struct pic_kind_facts *const *kinds; /* NULL-ended */
	const char *const *parameters;		   /* query parameters of PATCH, NULL-ended */
	bool definitions;
};

int pic_kube_openapi_v2_write(const struct pic_kube_openapi_v2 *what, struct pic_buf *out,
			      struct pic_error *err);

#endif
