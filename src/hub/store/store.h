/*
 * The store: all objects, one writer, one revision counter, an append-only journal.
 *
 * All objects are in memory and in SQLite (WAL, synchronous=FULL). The loop's thread calls everything
 * here and never waits for the disk: a change is applied to memory at once, handed to the writer
 * thread, committed together with what else is waiting (group commit), and `done` is called back in
 * the loop's thread. A reply to a user, a watch event, an answer to a device goes out only after that.
 * When a commit fails (disk full), that change and all later ones not yet committed are taken back in
 * memory, newest first, and their `done` gets the sentence.
 *
 * Readers get borrowed objects: valid until the next change to the store; take a reference to keep.
 */
#ifndef PIC_HUB_STORE_STORE_H
#define PIC_HUB_STORE_STORE_H

#include <stdint.h>

#include "base/loop.h"
#include "symphony/object.h"

struct pic_store;
struct pic_change;

/* Who causes a change: goes to the journal. All lent for the call. */
struct pic_actor {
	const char *who;   /* "admin", "device:tiny-edge", "engine" */
	const char *where; /* peer address, or "" */
	const char *verb;  /* "apply", "patch", "report" ... */
};

int pic_store_open(struct pic_store **out, struct pic_loop *loop, const char *folder,
		   struct pic_error *err);
/* Waits for what is under way, then closes. */
void pic_store_close(struct pic_store *store);

struct pic_object *pic_store_get(struct pic_store *store, enum pic_kind kind, const char *space,
				 const char *name);
/* Objects of a kind by (space, name); space NULL: all. `after` NULL starts. */
struct pic_object *pic_store_next(struct pic_store *store, enum pic_kind kind, const char *space,
				  const struct pic_object *after);
size_t pic_store_count(struct pic_store *store, enum pic_kind kind);
int64_t pic_store_revision(struct pic_store *store); /* last revision given out */
/* Waits until every change is durable or failed and its `done` was called. Only at start and stop: the
 * loop stands still meanwhile. */
void pic_store_settle(struct pic_store *store);
bool pic_store_is_settled(const struct pic_store *store);

struct pic_store_facts {
	uint64_t changes; /* durable ones */
	uint64_t commits; /* transactions; fewer than changes: group commit */
	uint64_t failures;
	double commit_seconds;
	bool is_failing; /* the last transaction failed */
};
void pic_store_facts(struct pic_store *store, struct pic_store_facts *out);

/* A change: several puts and deletes that happen together or not at all. */
struct pic_change *pic_change_new(struct pic_store *store, const struct pic_actor *actor);
/* Steals json (kube's form). The store sets metadata.resourceVersion, and for a new object uid and
 * creationTimestamp; generation and everything else is the caller's business. A put that changes
 * nothing is dropped. Memory changes at commit. */
int pic_change_put(struct pic_change *change, enum pic_kind kind, struct pic_json *json,
		   struct pic_error *err);
void pic_change_delete(struct pic_change *change, enum pic_kind kind, const char *space,
		       const char *name);
/* Takes the descriptor over: the file behind it is made durable before the change is. */
void pic_change_sync(struct pic_change *change, int fd);
/* Applies to memory now; `done` (may be NULL) once it is durable or failed, never before this returns
 * (but for a change that is NULL for want of memory). Frees the change. */
typedef void pic_change_done_fn(void *data, int status, const struct pic_error *err);
void pic_change_commit(struct pic_change *change, pic_change_done_fn *done, void *data);
void pic_change_drop(struct pic_change *change);

/* Events. `applied` listeners run at once (the engine), `durable` ones after the commit (watchers).
 * before is NULL for a new object, after NULL for a deleted one; `revision` orders events. */
typedef void pic_store_event_fn(void *data, enum pic_kind kind, struct pic_object *before,
				struct pic_object *after, int64_t revision);
enum pic_store_phase { PIC_STORE_APPLIED, PIC_STORE_DURABLE };
int pic_store_listen(struct pic_store *store, enum pic_store_phase phase, pic_store_event_fn *fn,
		     void *data);
/* No more events to that listener. */
void pic_store_ignore(struct pic_store *store, pic_store_event_fn *fn, const void *data);
/* Durable events after `revision`, oldest first, from a bounded history; false: too old, list again. */
bool pic_store_replay(struct pic_store *store, int64_t revision, pic_store_event_fn *fn,
		      void *data);

/* A note in the journal that changes no object ("login refused", "token printed"). */
void pic_store_journal(struct pic_store *store, const struct pic_actor *actor, const char *object,
		       const char *text);
/* The newest `limit` entries with a number below `before` (0: all), newest first; `entries` is lent for
 * the call, NULL on failure. Read by the writer, after everything committed before. */
typedef void pic_store_journal_fn(void *data, struct pic_json *entries,
				  const struct pic_error *err);
int pic_store_journal_list(struct pic_store *store, int64_t before, int64_t limit,
			   pic_store_journal_fn *fn, void *data, struct pic_error *err);
/* Recomputes the hash chain; the sentence names the first broken row. */
int pic_store_journal_verify(struct pic_store *store, struct pic_error *err);
/* The same for a state folder that this process does not hold; its hub may run. */
int pic_store_check(const char *folder, struct pic_error *err);

#endif
