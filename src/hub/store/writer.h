/*
 * The writer: the one thread that waits for the disk. It takes everything that waits at once and
 * commits it as one transaction (group commit). When that fails it tries the writes one by one, in
 * their order; the first that fails stops it until the loop's thread has taken that write and all
 * later ones back.
 *
 * A submitted write belongs to the writer until pic_writer_collect hands it back. Everything here
 * except the thread itself is called in the loop's thread.
 */
#ifndef PIC_HUB_STORE_WRITER_H
#define PIC_HUB_STORE_WRITER_H

#include <stdbool.h>

#include "hub/store/database.h"

struct pic_writer;

/* One change as the disk sees it. Texts are owned by whoever made the write. */
struct pic_write {
	struct pic_write *next;
	struct pic_database_object *objects;
	size_t object_count;
	struct pic_journal_row *notes;
	size_t note_count;
	int64_t revision;
	const int *sync_fds; /* made durable (fsync) before the transaction */
	size_t sync_count;
	/* Instead of all that: a question to the database, after everything submitted before. */
	int (*read)(struct pic_database *database, void *data, struct pic_error *err);
	void *read_data;
	/* Failed before it came here; passes through so that answers keep their order. */
	int status;
	struct pic_error error;
};

struct pic_writer_facts {
	uint64_t writes;       /* durable */
	uint64_t transactions; /* durable; fewer than writes: that is group commit */
	uint64_t failures;
	double seconds;	 /* spent in transactions */
	bool is_failing; /* the last one failed */
};

/* `wake_fd` is an eventfd that is written when there is something to collect; both stay the caller's. */
int pic_writer_new(struct pic_writer **out, struct pic_database *database, int wake_fd,
		   struct pic_error *err);
void pic_writer_submit(struct pic_writer *writer, struct pic_write *write);
/* *done: what is finished, oldest first. *undo: after a failure, the failed write and all later ones,
 * oldest first; the writer goes on with an empty queue. Both may be NULL. */
void pic_writer_collect(struct pic_writer *writer, struct pic_write **done,
			struct pic_write **undo);
/* Until nothing is under way (collect then gets it all). */
void pic_writer_wait(struct pic_writer *writer);
void pic_writer_facts(struct pic_writer *writer, struct pic_writer_facts *out);
/* Waits as above and ends the thread. */
void pic_writer_free(struct pic_writer *writer);

#endif
