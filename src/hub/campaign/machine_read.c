/* What a status says, and expressions seen from a stage. */
#include "hub/campaign/machine.h"
#include "hub/campaign/machine_expression.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"

void pic_machine_place(const struct pic_object *activation, struct pic_machine_place *out)
{
	const struct pic_json *run = pic_json_get(pic_object_status(activation), "run");
	const char *state = pic_json_text_or(pic_json_get(run, "state"), "");
	long long number = 0;

	pic_json_integer(pic_json_get(run, "number"), &number);
	*out = (struct pic_machine_place){
		.stage = pic_json_text_or(pic_json_get(run, "stage"), ""),
		.previous = pic_json_text_or(pic_json_get(run, "previous"), ""),
		.number = number,
		.campaign = pic_json_get(run, "campaign"),
		.memo = pic_json_get(run, "memo"),
		.outputs = pic_json_get(run, "outputs"),
		.is_acting = strcmp(state, "Acting") == 0,
		.is_waiting = strcmp(state, "Waiting") == 0,
		.is_finished = strcmp(state, "Finished") == 0,
	};
}

static void set_known(struct pic_json *inputs, const struct pic_object *activation,
		      const struct pic_machine_place *place, const char *stage)
{
	char campaign[PIC_OBJECT_NAME_MAX + 1] = "", generation[24];

	pic_stage_campaign_name(activation, campaign);
	snprintf(generation, sizeof(generation), "%lld", (long long)activation->generation);
	pic_json_set_text(inputs, "__campaign", campaign);
	pic_json_set_text(inputs, "__campaignversion", campaign);
	pic_json_set_text(inputs, "__activation", activation->name);
	pic_json_set_text(inputs, "__activationGeneration", generation);
	pic_json_set_text(inputs, "__stage", stage);
	pic_json_set_text(inputs, "__previousStage", place->previous);
	pic_json_set_text(inputs, "__namespace", activation->space);
	pic_json_set_text(inputs, "__site", "hq");
}

/* Of the activation, and over them the stage's own; those of earlier stages do not leak into later ones. */
static struct pic_json *raw_inputs(const struct pic_object *activation,
				   const struct pic_machine_place *place, const char *stage)
{
	struct pic_json *inputs = pic_json_new_object();

	pic_json_each(pic_json_get(pic_object_spec(activation), "inputs"), i)
		pic_json_set(inputs, pic_json_key(i), pic_json_ref(pic_json_value(i)));
	pic_json_each(pic_json_get(pic_stage_find(place->campaign, stage), "inputs"), k)
		pic_json_set(inputs, pic_json_key(k), pic_json_ref(pic_json_value(k)));
	set_known(inputs, activation, place, stage);
	return inputs;
}

void pic_machine_context(const struct pic_object *activation, const char *stage,
			 const struct pic_json *outputs, struct pic_json **inputs,
			 struct pic_expression_context *out)
{
	struct pic_machine_place place;

	pic_machine_place(activation, &place);
	*inputs = raw_inputs(activation, &place, stage);
	*out = (struct pic_expression_context){
		.inputs = *inputs,
		.outputs = outputs ? outputs : place.outputs,
		.triggers = pic_json_get(pic_object_spec(activation), "inputs"),
		.value = pic_json_get(*inputs, "context"),
	};
}

/* All but wait.expression, which is worked out for each answer. */
static int read_config(const struct pic_json *stage, const struct pic_expression_context *context,
		       struct pic_json **out, struct pic_error *err)
{
	static const char later[] = "wait.expression";
	struct pic_json *written = pic_json_get(stage, "config");
	PIC_JSON struct pic_json *now = pic_json_new_object();
	int r;

	if (pic_json_type(written) == PIC_JSON_OBJECT)
		pic_json_each(written, i)
			if (strcmp(pic_json_key(i), later) != 0)
				pic_json_set(now, pic_json_key(i), pic_json_ref(pic_json_value(i)));
	r = pic_expression_evaluate_tree(now, context, out, err);
	if (r == 0 && pic_json_get(written, later))
		pic_json_set(*out, later, pic_json_ref(pic_json_get(written, later)));
	return r;
}

int pic_machine_stage(const struct pic_object *activation, const char *stage,
		      struct pic_json **config, struct pic_json **inputs, struct pic_error *err)
{
	struct pic_machine_place place;
	struct pic_expression_context context;
	PIC_JSON struct pic_json *raw = NULL, *own = NULL, *settings = NULL;
	int r;

	pic_machine_place(activation, &place);
	const struct pic_json *found = pic_stage_find(place.campaign, stage);
	if (!found)
		return pic_error_set(err, -ENOENT, "stage %.80s is not found", stage);
	pic_machine_context(activation, stage, NULL, &raw, &context);
	r = pic_expression_evaluate_tree(raw, &context, &own, err);
	if (r < 0)
		return pic_error_wrap(err, r, "inputs of stage %.80s", stage);
	r = read_config(found, &context, &settings, err);
	if (r < 0)
		return pic_error_wrap(err, r, "config of stage %.80s", stage);
	*config = PIC_STEAL(settings);
	*inputs = PIC_STEAL(own);
	return 0;
}
