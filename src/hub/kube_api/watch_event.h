/*
 * What a watcher sees of a change in the store, as one line of JSON. Pure.
 */
#ifndef PIC_HUB_KUBE_API_WATCH_EVENT_H
#define PIC_HUB_KUBE_API_WATCH_EVENT_H

#include "hub/kube_api/filter.h"

/* How a watcher wants its events. */
struct pic_kube_watch_form {
	const struct pic_kind_facts *facts;
	bool table;
	enum pic_kube_include include;
};

/* The event for this watcher, written with its newline; false: nothing to see. An object that leaves the
 * filter's scope is deleted for the watcher, one that enters is added. */
bool pic_kube_watch_write(const struct pic_kube_filter *filter,
			  const struct pic_kube_watch_form *form, const struct pic_object *before,
			  const struct pic_object *after, int64_t revision, int64_t now_ms,
			  struct pic_buf *out);
/* The synthetic ADDED of an object that is there already. */
void pic_kube_watch_write_initial(const struct pic_kube_watch_form *form,
				  const struct pic_object *object, int64_t now_ms,
				  struct pic_buf *out);
/* "everything up to here"; `initial` ends the initial events of a watch-list. */
void pic_kube_watch_write_bookmark(const struct pic_kube_watch_form *form, int64_t revision,
				   bool initial, struct pic_buf *out);

#endif
