/*
 * The server's tables: what `kubectl get` prints without -o. Pure; ages are texts made here.
 */
#ifndef PIC_HUB_KUBE_API_TABLE_H
#define PIC_HUB_KUBE_API_TABLE_H

#include "base/clock.h"
#include "hub/kube_api/request.h"
#include "symphony/object.h"

/* A Table without rows; `revision` < 0 leaves its resourceVersion out. */
struct pic_json *pic_kube_table_new(const struct pic_kind_facts *facts, int64_t revision);
/* Adds the row of one object, in its public form. */
void pic_kube_table_add(struct pic_json *table, const struct pic_kind_facts *facts,
			const struct pic_json *object, enum pic_kube_include include,
			int64_t now_ms);
/* "5m12s" since an RFC 3339 time; "<unknown>" without one. */
void pic_kube_age(const struct pic_json *timestamp, int64_t now_ms, char out[PIC_TIME_TEXT]);

#endif
