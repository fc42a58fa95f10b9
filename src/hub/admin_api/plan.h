/*
 * A plan: what applying these objects would change on which device. The pure engine runs on the store
 * with the objects laid over it; nothing is stored, fetched or told to anybody.
 *
 * A component whose URL is not resolved yet is shown as if it were: with the bytes that stand there
 * now where the hub has them, and "is fetched first" where it has not.
 */
#ifndef PIC_HUB_ADMIN_API_PLAN_H
#define PIC_HUB_ADMIN_API_PLAN_H

#include "hub/hub.h"

/* `objects`: a list of kube's form; kinds that reach no device are passed over. *out:
 *   {"changes":[{"device","instance","component","action":"start"|"change"|"remove","detail"}],
 *    "problems":[{"object","message"}]}
 * -EINVAL: the sentence names the object and what is wrong with it. */
int pic_plan_make(struct pic_hub *hub, const struct pic_json *objects, struct pic_json **out,
		  struct pic_error *err);
/* The difference between two staged catalogs of one device (NULL: none); pure. */
void pic_plan_compare(const struct pic_json *before, const struct pic_json *after,
		      const char *device, const char *instance, struct pic_json *changes);

#endif
