/*
 * The fields users may write, one table for each object and part of an object: what validation checks,
 * `kubectl explain` shows and the OpenAPI document publishes. Internal to symphony/kind*.c.
 */
#ifndef PIC_SYMPHONY_KIND_FIELDS_H
#define PIC_SYMPHONY_KIND_FIELDS_H

#include "symphony/kind.h"

extern const struct pic_field pic_target_fields[];
extern const struct pic_field pic_solution_fields[];
extern const struct pic_field pic_instance_fields[];
extern const struct pic_field pic_catalog_fields[];
extern const struct pic_field pic_container_fields[];
extern const struct pic_field pic_namespace_fields[];
extern const struct pic_field pic_campaign_fields[];
extern const struct pic_field pic_activation_fields[];
extern const struct pic_field pic_approval_fields[];
extern const struct pic_field pic_approver_fields[];

#endif
