/*
 * The SQLite file behind the store: the only file that knows SQLite. One connection, used by one
 * thread at a time (the loop's thread while the store opens, then the writer).
 *
 * Errors carry SQLite's own words with the file's name in front; -ENOSPC when the disk is full.
 */
#ifndef PIC_HUB_STORE_DATABASE_H
#define PIC_HUB_STORE_DATABASE_H

#include "base/json.h"
#include "hub/store/journal.h"

struct pic_database;

/* One object to write; json NULL deletes it. All lent for the call. */
struct pic_database_object {
	const char *kind, *space, *name;
	int64_t revision;
	const char *json;
	size_t json_size;
};

/* Makes file (0600) and tables when they are missing; refuses a newer schema. */
int pic_database_open(struct pic_database **out, const char *path, struct pic_error *err);
void pic_database_close(struct pic_database *database);
int64_t pic_database_revision(
	const struct pic_database *database); /* highest one that is durable */

/* Every object, ordered by kind, space, name. A negative answer of `fn` ends the walk. */
typedef int pic_database_object_fn(void *data, const struct pic_database_object *object,
				   struct pic_error *err);
int pic_database_load(struct pic_database *database, pic_database_object_fn *fn, void *data,
		      struct pic_error *err);

/* A transaction. After a failure call rollback; the journal's head goes back with it. */
int pic_database_begin(struct pic_database *database, struct pic_error *err);
int pic_database_write(struct pic_database *database, const struct pic_database_object *object,
		       struct pic_error *err);
int pic_database_note(struct pic_database *database, const struct pic_journal_row *row,
		      struct pic_error *err);
int pic_database_commit(struct pic_database *database, int64_t revision, struct pic_error *err);
void pic_database_rollback(struct pic_database *database);

/* The newest `limit` journal rows with a sequence below `before` (0: all), newest first, as a list. */
int pic_database_journal(struct pic_database *database, int64_t before, int64_t limit,
			 struct pic_json **out, struct pic_error *err);
/* On a connection of its own; the sentence names the first row that does not fit. -EBADMSG. */
int pic_database_verify(const char *path, struct pic_error *err);

#endif
