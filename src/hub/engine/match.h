/*
 * Which targets an instance goes to. Pure; internal to hub/engine.
 */
#ifndef PIC_HUB_ENGINE_MATCH_H
#define PIC_HUB_ENGINE_MATCH_H

#include "symphony/object.h"

/* `*` stands for any text, `%` for one character; everything else for itself. The whole text has to fit:
 * the original searches for the pattern anywhere in it, so that `edge*` also finds `myedge1`; where that
 * decides what is deployed, it is a mistake we do not repeat. */
bool pic_match_text(const char *pattern, const char *text);
/* By name, or by selector: every key must be among the target's properties and fit. */
bool pic_match_target(const struct pic_json *instance_spec, const struct pic_object *target);
/* Object name of the instance's solution ("name:version" is "name-v-version"); false: it names none. */
bool pic_match_solution(const struct pic_json *instance_spec, char out[PIC_OBJECT_NAME_MAX + 1]);
/* spec.activeState "inactive": wanted nowhere. */
bool pic_match_inactive(const struct pic_json *instance_spec);

#endif
