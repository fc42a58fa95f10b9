#include "hub/store/writer.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define STACK_SIZE (512 * 1024)

struct list {
	struct pic_write *first;
	struct pic_write **last;
};

struct pic_writer {
	struct pic_database *database;
	int wake_fd;
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t work; /* for the thread: something to do */
	pthread_cond_t idle; /* for pic_writer_wait */
	/* under the mutex */
	struct list queue;
	struct list done;
	bool busy;
	bool halted; /* the first of `queue` has failed */
	bool stop;
	struct pic_writer_facts facts;
};

static void list_init(struct list *list)
{
	list->first = NULL;
	list->last = &list->first;
}

static void list_add(struct list *list, struct pic_write *write)
{
	write->next = NULL;
	*list->last = write;
	list->last = &write->next;
}

static struct pic_write *list_take(struct list *list)
{
	struct pic_write *first = list->first;

	list_init(list);
	return first;
}

/* Puts `chain` (not empty) in front of the list. */
static void list_put_back(struct list *list, struct pic_write *chain)
{
	struct pic_write *end = chain;

	while (end->next)
		end = end->next;
	end->next = list->first;
	if (!list->first)
		list->last = &end->next;
	list->first = chain;
}

static double now_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int sync_files(const struct pic_write *write, struct pic_error *err)
{
	for (size_t i = 0; i < write->sync_count; i++) {
		if (fsync(write->sync_fds[i]) < 0)
			return pic_error_errno(err, errno, "cannot make a file durable");
	}
	return 0;
}

static int write_rows(struct pic_database *database, const struct pic_write *write,
		      struct pic_error *err)
{
	int r = 0;

	for (size_t i = 0; i < write->object_count && r == 0; i++)
		r = pic_database_write(database, &write->objects[i], err);
	for (size_t i = 0; i < write->note_count && r == 0; i++)
		r = pic_database_note(database, &write->notes[i], err);
	return r;
}

static bool has_rows(const struct pic_write *write)
{
	return write->status == 0 && (write->object_count || write->note_count);
}

/* `count` writes from `first` on as one transaction. */
static int transaction(struct pic_database *database, const struct pic_write *first, size_t count,
		       struct pic_error *err)
{
	const struct pic_write *write = first;
	int64_t revision = 0;
	int r = 0;

	for (size_t i = 0; i < count && r == 0; i++, write = write->next) {
		if (write->status == 0)
			r = sync_files(write, err);
	}
	if (r == 0)
		r = pic_database_begin(database, err);
	if (r < 0)
		return r;
	write = first;
	for (size_t i = 0; i < count && r == 0; i++, write = write->next) {
		if (!has_rows(write))
			continue;
		r = write_rows(database, write, err);
		if (write->revision > revision)
			revision = write->revision;
	}
	if (r == 0)
		r = pic_database_commit(database, revision, err);
	if (r < 0)
		pic_database_rollback(database);
	return r;
}

static size_t count_of(const struct pic_write *chain, bool *any_rows)
{
	size_t count = 0;

	*any_rows = false;
	for (; chain; chain = chain->next) {
		count++;
		*any_rows = *any_rows || has_rows(chain);
	}
	return count;
}

struct outcome {
	size_t durable; /* of the batch, from its front */
	size_t transactions;
	double seconds;
};

/* Writes what can be written of the batch; the first that cannot has its error set. */
static struct outcome process(struct pic_database *database, struct pic_write *batch)
{
	struct outcome outcome = { 0, 0, 0 };
	double start = now_seconds();
	bool any_rows;
	size_t count = count_of(batch, &any_rows);
	struct pic_error ignored = PIC_ERROR_INIT;

	if (!any_rows) {
		outcome.durable = count;
	} else if (transaction(database, batch, count, &ignored) == 0) {
		outcome.durable = count;
		outcome.transactions = 1;
	} else {
		for (struct pic_write *write = batch; write; write = write->next) {
			int r = has_rows(write) ? transaction(database, write, 1, &write->error)
						: 0;

			if (r < 0) {
				write->status = r;
				break;
			}
			outcome.durable++;
			outcome.transactions += has_rows(write);
		}
	}
	outcome.seconds = now_seconds() - start;
	return outcome;
}

/* Questions are answered after the batch they came with. */
static void answer(struct pic_database *database, struct pic_write *batch, size_t durable)
{
	for (size_t i = 0; i < durable; i++, batch = batch->next) {
		if (batch->read && batch->status == 0)
			batch->status = batch->read(database, batch->read_data, &batch->error);
	}
}

static void hand_back(struct pic_writer *writer, struct pic_write *batch,
		      const struct outcome *outcome)
{
	for (size_t i = 0; i < outcome->durable; i++) {
		struct pic_write *next = batch->next;

		list_add(&writer->done, batch);
		batch = next;
	}
	if (batch) {
		list_put_back(&writer->queue, batch);
		writer->halted = true;
		writer->facts.failures++;
	}
	if (batch || outcome->transactions)
		writer->facts.is_failing = batch != NULL;
	writer->facts.writes += outcome->durable;
	writer->facts.transactions += outcome->transactions;
	writer->facts.seconds += outcome->seconds;
}

static void wake_loop(const struct pic_writer *writer)
{
	uint64_t one = 1;
	ssize_t written;

	do {
		written = write(writer->wake_fd, &one, sizeof(one));
	} while (written < 0 && errno == EINTR);
	/* EAGAIN: the counter is full, so the loop is awake already. */
}

static void *run(void *data)
{
	struct pic_writer *writer = data;

	pthread_mutex_lock(&writer->mutex);
	for (;;) {
		while (!writer->stop && (!writer->queue.first || writer->halted))
			pthread_cond_wait(&writer->work, &writer->mutex);
		if (writer->stop)
			break;
		struct pic_write *batch = list_take(&writer->queue);
		writer->busy = true;
		pthread_mutex_unlock(&writer->mutex);

		struct outcome outcome = process(writer->database, batch);
		answer(writer->database, batch, outcome.durable);

		pthread_mutex_lock(&writer->mutex);
		hand_back(writer, batch, &outcome);
		writer->busy = false;
		wake_loop(writer);
		pthread_cond_signal(&writer->idle);
	}
	pthread_mutex_unlock(&writer->mutex);
	return NULL;
}

/* The thread takes no signals: they belong to the loop. */
static int start_thread(struct pic_writer *writer)
{
	pthread_attr_t attributes;
	sigset_t all, before;
	int r;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_SIZE);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&writer->thread, &attributes, run, writer);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	return -r;
}

int pic_writer_new(struct pic_writer **out, struct pic_database *database, int wake_fd,
		   struct pic_error *err)
{
	struct pic_writer *writer = calloc(1, sizeof(*writer));

	if (!writer)
		return pic_error_set(err, -ENOMEM, "no memory for the store's writer");
	writer->database = database;
	writer->wake_fd = wake_fd;
	list_init(&writer->queue);
	list_init(&writer->done);
	pthread_mutex_init(&writer->mutex, NULL);
	pthread_cond_init(&writer->work, NULL);
	pthread_cond_init(&writer->idle, NULL);
	int r = start_thread(writer);
	if (r < 0) {
		free(writer);
		return pic_error_errno(err, -r, "cannot start the store's writer thread");
	}
	*out = writer;
	return 0;
}

void pic_writer_submit(struct pic_writer *writer, struct pic_write *write)
{
	pthread_mutex_lock(&writer->mutex);
	list_add(&writer->queue, write);
	pthread_cond_signal(&writer->work);
	pthread_mutex_unlock(&writer->mutex);
}

void pic_writer_collect(struct pic_writer *writer, struct pic_write **done, struct pic_write **undo)
{
	pthread_mutex_lock(&writer->mutex);
	*done = list_take(&writer->done);
	*undo = NULL;
	if (writer->halted) {
		*undo = list_take(&writer->queue);
		writer->halted = false;
	}
	pthread_mutex_unlock(&writer->mutex);
}

void pic_writer_wait(struct pic_writer *writer)
{
	pthread_mutex_lock(&writer->mutex);
	while (writer->busy || (writer->queue.first && !writer->halted))
		pthread_cond_wait(&writer->idle, &writer->mutex);
	pthread_mutex_unlock(&writer->mutex);
}

void pic_writer_facts(struct pic_writer *writer, struct pic_writer_facts *out)
{
	pthread_mutex_lock(&writer->mutex);
	*out = writer->facts;
	pthread_mutex_unlock(&writer->mutex);
}

void pic_writer_free(struct pic_writer *writer)
{
	if (!writer)
		return;
	pic_writer_wait(writer);
	pthread_mutex_lock(&writer->mutex);
	writer->stop = true;
	pthread_cond_signal(&writer->work);
	pthread_mutex_unlock(&writer->mutex);
	pthread_join(writer->thread, NULL);
	pthread_mutex_destroy(&writer->mutex);
	pthread_cond_destroy(&writer->work);
	pthread_cond_destroy(&writer->idle);
	free(writer);
}
