/*
 * DELETE: what it means for one object. Nothing waits for a device: an instance, target or solution goes
 * at once; a staged catalog whose instance is gone is hidden while its device lets go, and a DELETE of
 * one that is gone already, but less than an hour ago, still answers success. Pure.
 */
#ifndef PIC_HUB_KUBE_API_REMOVE_H
#define PIC_HUB_KUBE_API_REMOVE_H

#include "hub/kube_api/request.h"
#include "hub/kube_api/world.h"

struct pic_kube_delete_options {
	bool dry_run;
	char uid[64], version[32]; /* preconditions; "": any */
};

enum pic_kube_removal {
	PIC_KUBE_REMOVAL_ANSWERED, /* refused, or nothing to do: the answer says it */
	PIC_KUBE_REMOVAL_DELETE,
	PIC_KUBE_REMOVAL_PUT, /* store *put in its place */
};

/* False: the answer is a 400. */
bool pic_kube_read_delete(const struct pic_kube_request *request,
			  struct pic_kube_delete_options *out, struct pic_kube_answer *answer);
/* The object the path names. On DELETE and PUT the answer is filled already, for after the commit. */
enum pic_kube_removal pic_kube_remove(const struct pic_kube_request *request,
				      const struct pic_kube_world *world,
				      const struct pic_kube_delete_options *options,
				      struct pic_json **put, struct pic_kube_answer *answer);
/* One of many (a collection, a namespace): the same without look-up and preconditions. */
enum pic_kube_removal pic_kube_remove_object(const struct pic_kube_world *world,
					     const struct pic_object *object, struct pic_json **put,
					     struct pic_kube_answer *answer);

#endif
