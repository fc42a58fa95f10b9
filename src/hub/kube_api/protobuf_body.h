/*
 * Request bodies that kubectl 1.32 and later send as protocol buffers: Namespace and the three reviews.
 * Decoded into the JSON the same commands of older versions send. Pure.
 */
#ifndef PIC_HUB_KUBE_API_PROTOBUF_BODY_H
#define PIC_HUB_KUBE_API_PROTOBUF_BODY_H

#include "base/json.h"

#define PIC_KUBE_PROTOBUF "application/vnd.kubernetes.protobuf"

/* -EBADMSG: damaged; -ENOTSUP: a kind that is not sent this way to us. */
int pic_kube_protobuf_body(struct pic_view body, struct pic_json **out, struct pic_error *err);

#endif
