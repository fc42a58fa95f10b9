/*
 * The store's memory: what store.c (reading, events, the way back from the disk) and change.c
 * (building a change, applying it, taking it back) share. Nobody else includes this.
 */
#ifndef PIC_HUB_STORE_MEMORY_H
#define PIC_HUB_STORE_MEMORY_H

#include <limits.h>

#include "hub/store/history.h"
#include "hub/store/index.h"
#include "hub/store/store.h"
#include "hub/store/writer.h"

#define PIC_STORE_LISTENERS_MAX 16

struct pic_store_listener {
	enum pic_store_phase phase;
	pic_store_event_fn *fn;
	void *data;
};

struct pic_store {
	struct pic_loop *loop;
	struct pic_watch *watch;
	int wake_fd;
	int lock_fd;
	char path[PATH_MAX];
	struct pic_database *database;
	struct pic_writer *writer;
	struct pic_index kinds[PIC_KIND_COUNT];
	int64_t revision;
	struct pic_history history; /* durable events */
	struct pic_store_listener listeners[PIC_STORE_LISTENERS_MAX];
	size_t listener_count;
	/* Applied events that wait because listeners are at work further up the stack. */
	struct pic_event_list applied;
	bool telling;
	size_t under_way; /* changes between commit and `done` */
};

struct pic_change_step {
	enum pic_kind kind;
	struct pic_json *put; /* until it is applied */
	char *space, *name;   /* of a delete */
	struct pic_object *before, *after;
	int64_t revision;
	bool applied;
};

struct pic_change {
	struct pic_write write; /* first: the writer hands this back */
	struct pic_store *store;
	char *who, *where, *verb;
	int64_t time_ms;
	struct pic_change_step *steps;
	size_t step_count;
	int *sync_fds;
	pic_change_done_fn *done;
	void *done_data;
	bool failed; /* something could not be added to it */
};

const char *pic_store_kind_text(enum pic_kind kind); /* as it stands in the file */
bool pic_store_kind_parse(const char *text, enum pic_kind *out);

/* Memory as if the change had never been; appends the opposite events. */
void pic_change_undo(struct pic_change *change, struct pic_event_list *events);
/* Hands every event of the list to the listeners of `applied`, in order, and empties it. */
void pic_store_tell_applied(struct pic_store *store);

#endif
