/*
 * Validation, second half: names, references between fields, component types and their properties.
 * Anything of the wrong type was reported by the first half and is passed over here. Internal to
 * symphony/validate*.c.
 */
#ifndef PIC_SYMPHONY_VALIDATE_MEANING_H
#define PIC_SYMPHONY_VALIDATE_MEANING_H

#include "symphony/findings.h"

void pic_validate_names(enum pic_kind kind, const struct pic_json *json, struct pic_findings *out);
void pic_validate_meaning(enum pic_kind kind, const struct pic_json *json,
			  struct pic_findings *out);
/* A list of components at `path` (validate_component.c). */
void pic_validate_components(const struct pic_json *components, const struct pic_path *path,
			     struct pic_findings *out);

#endif
