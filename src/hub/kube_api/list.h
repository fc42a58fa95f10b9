/*
 * Reading: one object, or a list of them, as objects or as a Table. Pure.
 *
 * Pages (`limit`, `continue`) go by the key of the last object, not by a snapshot: a token never gets
 * too old, and what is created meanwhile behind it is in the next page.
 */
#ifndef PIC_HUB_KUBE_API_LIST_H
#define PIC_HUB_KUBE_API_LIST_H

#include "hub/kube_api/request.h"
#include "hub/kube_api/world.h"

void pic_kube_get(const struct pic_kube_request *request, const struct pic_kube_world *world,
		  struct pic_kube_answer *answer);
/* `revision` is the store's counter. */
void pic_kube_list(const struct pic_kube_request *request, const struct pic_kube_world *world,
		   int64_t revision, struct pic_kube_answer *answer);

#endif
