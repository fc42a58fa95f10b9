/*
 * POST, PUT and PATCH, up to the moment of storing: patches applied, rules kept, validated. Pure; the
 * caller stores the draft and answers with what the store made of it.
 */
#ifndef PIC_HUB_KUBE_API_WRITE_H
#define PIC_HUB_KUBE_API_WRITE_H

#include "hub/kube_api/request.h"
#include "hub/kube_api/world.h"

struct pic_kube_draft {
	struct pic_json *
		put; /* to be stored; NULL: the answer is complete (an error, a dry run, no change) */
	int status; /* of the answer once it is stored: 200 or 201 */
};

void pic_kube_draft(const struct pic_kube_request *request, const struct pic_kube_world *world,
		    struct pic_kube_draft *out, struct pic_kube_answer *answer);

#endif
