/*
 * One write under way, and its last part: from what the client wants to what will be stored. Internal
 * to write*.c.
 */
#ifndef PIC_HUB_KUBE_API_WRITE_WORK_H
#define PIC_HUB_KUBE_API_WRITE_WORK_H

#include "hub/kube_api/write.h"

struct pic_kube_work {
	const struct pic_kube_request *request;
	const struct pic_kube_world *world;
	const struct pic_object *live; /* NULL: there is none that anybody sees */
	enum pic_kube_validation validation;
	bool dry_run;
	struct pic_kube_draft *out;
	struct pic_kube_answer *answer;
};

/* Takes both trees over. `applied` is the new memory of server-side apply managers, or NULL to keep the
 * old one. */
void pic_kube_settle(const struct pic_kube_work *work, struct pic_json *wanted,
		     struct pic_json *applied, int status);
/* The same for the main resource or /status, whichever the path names. */
void pic_kube_settle_any(const struct pic_kube_work *work, struct pic_json *wanted);
/* False, and a 404: a new object wants a namespace that is there. */
bool pic_kube_namespace_exists(const struct pic_kube_work *work);
/* A server-side apply; `live` is the public form, NULL: there is none. */
void pic_kube_call_apply(const struct pic_kube_work *work, const struct pic_json *live,
			 struct pic_json *config);

#endif
