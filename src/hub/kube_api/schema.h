/*
 * The schema of a kind as an OpenAPI v3 tree, made from the same tables that validation uses. Both
 * OpenAPI faces publish it. No `required` lists: the hub fills defaults first and says what is missing
 * itself, while old kubectl would refuse files that the hub accepts.
 */
#ifndef PIC_HUB_KUBE_API_SCHEMA_H
#define PIC_HUB_KUBE_API_SCHEMA_H

#include "base/json.h"
#include "symphony/kind.h"

/* NULL when memory is short. */
struct pic_json *pic_kube_schema(const struct pic_kind_facts *facts);
/* "symphony.solution.v1.Solution": the group's labels turned around, as Kubernetes names its own. */
void pic_kube_schema_name(const struct pic_kind_facts *facts, struct pic_buf *out);
/* Fields of an Event: they stand beside metadata, not in a spec. */
extern const struct pic_field pic_kube_event_fields[];

/* The public kinds of a group ("" is core), in the table's order; group NULL: of all groups.
 * *i starts at 0; NULL at the end. */
const struct pic_kind_facts *pic_kube_next_kind(const char *group, int *i);
/* "/apis/solution.symphony/v1/namespaces/{namespace}/solutions", "/api/v1/namespaces". */
void pic_kube_collection_path(const struct pic_kind_facts *facts, struct pic_buf *out);

#endif
