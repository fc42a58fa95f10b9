/*
 * A campaign's spec as the other files of this room read it. Pure; everything is lent from the JSON.
 */
#ifndef PIC_HUB_CAMPAIGN_STAGE_H
#define PIC_HUB_CAMPAIGN_STAGE_H

#include <stdint.h>

#include "base/json.h"
#include "base/text.h"
#include "symphony/object.h"

enum pic_stage_provider {
	PIC_STAGE_UNKNOWN,
	PIC_STAGE_HTTP,
	PIC_STAGE_PATCH,
	PIC_STAGE_DELAY,
	PIC_STAGE_WAIT,
	PIC_STAGE_MOCK,
	PIC_STAGE_APPROVAL,
	PIC_STAGE_PROVIDER_COUNT,
};
/* "providers.stage.http"; NULL for UNKNOWN. */
const char *pic_stage_provider_name(enum pic_stage_provider provider);
enum pic_stage_provider pic_stage_provider(const struct pic_json *stage);

/* NULL when there is none of that name. */
struct pic_json *pic_stage_find(const struct pic_json *campaign, const char *name);
/* The stage that an approval stage's `approves` names, "" when it names none. */
const char *pic_stage_approves(const struct pic_json *stage);
/* A value of the inputs, else of the config. */
struct pic_json *pic_stage_value(const struct pic_json *inputs, const struct pic_json *config,
				 const char *key);
bool pic_stage_is_expression(const struct pic_json *value);

/* "name:version" is the object "name-v-version"; false: too long or empty. */
bool pic_stage_object_name(const char *reference, char out[PIC_OBJECT_NAME_MAX + 1]);
/* The campaign that an activation names; false: none. */
bool pic_stage_campaign_name(const struct pic_object *activation,
			     char out[PIC_OBJECT_NAME_MAX + 1]);

/* Stage field `window`. */
struct pic_stage_window {
	bool given;
	int64_t opens_ms;  /* 0: at once */
	int64_t closes_ms; /* 0: length_ms after opening */
	int64_t length_ms;
};
int pic_stage_window(const struct pic_json *stage, struct pic_stage_window *out,
		     struct pic_error *err);

/* Go's durations ("10s", "1h30m"), and seconds as a text or number; -EINVAL. */
int pic_stage_duration(const struct pic_json *value, int64_t *out_ms, struct pic_error *err);

/* "Done", "Not Found", ... for the numbers that statuses hold. */
const char *pic_stage_state_name(int status);
#define PIC_STAGE_RUNNING 9994
#define PIC_STAGE_PAUSED 9995
#define PIC_STAGE_DONE 9996

#endif
