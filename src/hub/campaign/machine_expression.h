/* What expressions of a stage can ask for. Internal to machine*.c. */
#ifndef PIC_HUB_CAMPAIGN_MACHINE_EXPRESSION_H
#define PIC_HUB_CAMPAIGN_MACHINE_EXPRESSION_H

#include "hub/campaign/stage.h"
#include "hub/expression/expression.h"

/* `outputs` in place of the status's own, or NULL. *inputs is the caller's and must outlive *out. */
void pic_machine_context(const struct pic_object *activation, const char *stage,
			 const struct pic_json *outputs, struct pic_json **inputs,
			 struct pic_expression_context *out);

#endif
