#include "hub/store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>

#include "base/file.h"
#include "base/log.h"
#include "hub/store/memory.h"

/* A revision that was given out but never became durable (a crash, a full disk) must not come back as
 * the name of something else, so a hub that starts leaves some out. */
#define REVISION_GAP 1000

static const char *const kind_texts[] = {
	[PIC_KIND_TARGET] = "target",
	[PIC_KIND_SOLUTION] = "solution",
	[PIC_KIND_INSTANCE] = "instance",
	[PIC_KIND_CATALOG] = "catalog",
	[PIC_KIND_CAMPAIGN] = "campaign",
	[PIC_KIND_ACTIVATION] = "activation",
	[PIC_KIND_SOLUTION_CONTAINER] = "solution-container",
	[PIC_KIND_CATALOG_CONTAINER] = "catalog-container",
	[PIC_KIND_CAMPAIGN_CONTAINER] = "campaign-container",
	[PIC_KIND_APPROVAL] = "approval",
	[PIC_KIND_APPROVER] = "approver",
	[PIC_KIND_NAMESPACE] = "namespace",
	[PIC_KIND_EVENT] = "event",
	[PIC_KIND_DEVICE] = "device",
	[PIC_KIND_TOKEN] = "token",
	[PIC_KIND_ARTIFACT] = "artifact",
	[PIC_KIND_TOMBSTONE] = "tombstone",
	[PIC_KIND_WINDOW] = "window",
	[PIC_KIND_FIRST_BOOT] = "first-boot",
};
_Static_assert(PIC_COUNT(kind_texts) == PIC_KIND_COUNT, "every kind has its word in the file");

const char *pic_store_kind_text(enum pic_kind kind)
{
	return kind_texts[kind];
}

bool pic_store_kind_parse(const char *text, enum pic_kind *out)
{
	for (size_t i = 0; i < PIC_COUNT(kind_texts); i++) {
		if (strcmp(kind_texts[i], text) == 0) {
			*out = (enum pic_kind)i;
			return true;
		}
	}
	return false;
}

/* Events. */

static void tell(struct pic_store *store, enum pic_store_phase phase, const struct pic_event *event)
{
	for (size_t i = 0; i < store->listener_count; i++) {
		const struct pic_store_listener *listener = &store->listeners[i];

		if (listener->fn && listener->phase == phase)
			listener->fn(listener->data, event->kind, event->before, event->after,
				     event->revision);
	}
}

void pic_store_tell_applied(struct pic_store *store)
{
	/* A listener that commits a change itself comes back here: its events wait for their turn. */
	if (store->telling)
		return;
	store->telling = true;
	for (size_t i = 0; i < store->applied.count; i++) {
		struct pic_event event = store->applied.items[i];

		store->applied.items[i] = (struct pic_event){ .before = NULL, .after = NULL };
		tell(store, PIC_STORE_APPLIED, &event);
		pic_event_drop(&event);
	}
	store->applied.count = 0;
	store->telling = false;
}

static void tell_durable(struct pic_store *store, const struct pic_change *change)
{
	for (size_t i = 0; i < change->step_count; i++) {
		const struct pic_change_step *step = &change->steps[i];
		struct pic_event event = { step->kind, step->before, step->after, step->revision };

		if (!step->applied)
			continue;
		pic_history_add(&store->history, step->kind, step->before, step->after,
				step->revision);
		tell(store, PIC_STORE_DURABLE, &event);
	}
}

/* The way back from the disk. */

static void finish(struct pic_store *store, struct pic_write *write)
{
	struct pic_change *change = (struct pic_change *)write;

	store->under_way--;
	if (change->done)
		change->done(change->done_data, write->status,
			     write->status ? &write->error : NULL);
	pic_change_drop(change);
}

static struct pic_write *reverse(struct pic_write *chain)
{
	struct pic_write *reversed = NULL;

	while (chain) {
		struct pic_write *next = chain->next;

		chain->next = reversed;
		reversed = chain;
		chain = next;
	}
	return reversed;
}

/* Memory first, for all of them, newest first; then the listeners; then whoever waits, oldest first. */
static void take_back(struct pic_store *store, struct pic_write *undo)
{
	struct pic_error error = undo->error;

	pic_log(PIC_LOG_ERROR, "store-failed", PIC_TEXT("error", error.text));
	undo = reverse(undo);
	for (struct pic_write *write = undo; write; write = write->next)
		pic_change_undo((struct pic_change *)write, &store->applied);
	pic_store_tell_applied(store);
	undo = reverse(undo);
	while (undo) {
		struct pic_write *next = undo->next;

		if (undo->status == 0) {
			undo->status = error.code ? error.code : -EIO;
			undo->error = error;
		}
		finish(store, undo);
		undo = next;
	}
}

static void collect(struct pic_store *store)
{
	struct pic_write *done, *undo;

	pic_writer_collect(store->writer, &done, &undo);
	while (done) {
		struct pic_write *next = done->next;

		tell_durable(store, (struct pic_change *)done);
		finish(store, done);
		done = next;
	}
	if (undo)
		take_back(store, undo);
}

static void on_wake(void *data, int fd, uint32_t events)
{
	uint64_t count;

	(void)events;
	while (read(fd, &count, sizeof(count)) < 0 && errno == EINTR)
		;
	collect(data);
}

void pic_store_settle(struct pic_store *store)
{
	while (store->under_way) {
		pic_writer_wait(store->writer);
		collect(store);
	}
}

/* Opening. */

static int load_object(void *data, const struct pic_database_object *row, struct pic_error *err)
{
	struct pic_store *store = data;
	PIC_JSON struct pic_json *json = NULL;
	struct pic_object *object, *previous;
	enum pic_kind kind;
	int r;

	if (!pic_store_kind_parse(row->kind, &kind))
		return pic_error_set(err, -EBADMSG,
				     "%s holds a \"%.32s\", a kind this program does not know",
				     store->path, row->kind);
	r = pic_json_parse(&json, row->json, row->json_size, err);
	if (r == 0)
		r = pic_object_new(&object, kind, PIC_STEAL(json), err);
	if (r < 0)
		return pic_error_wrap(err, r, "%s is damaged at %s %s", store->path, row->kind,
				      row->name);
	r = pic_index_put(&store->kinds[kind], object, &previous);
	if (r < 0) {
		pic_object_unref(object);
		return pic_error_set(err, r, "no memory to load %s", store->path);
	}
	pic_object_unref(previous);
	return 0;
}

/* One hub to one folder. The lock goes with the process, however it ends. */
static int lock_folder(const char *folder, int *lock_fd, struct pic_error *err)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/hub.lock", folder) >= (int)sizeof(path))
		return pic_error_set(err, -ENAMETOOLONG,
				     "the name of the state folder %.64s... is too long", folder);
	PIC_FD int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return pic_error_errno(err, errno, "cannot open %s", path);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno == EWOULDBLOCK)
			return pic_error_set(
				err, -EBUSY,
				"another piccolo-hub is running on the state folder %s; stop it or use another --state",
				folder);
		return pic_error_errno(err, errno, "cannot lock %s", path);
	}
	*lock_fd = PIC_STEAL_FD(fd);
	return 0;
}

static int sync_folder(const char *folder, struct pic_error *err)
{
	PIC_FD int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fsync(fd) < 0)
		return pic_error_errno(err, errno, "cannot make %s durable", folder);
	return 0;
}

static int open_database(struct pic_store *store, const char *folder, struct pic_error *err)
{
	int r = lock_folder(folder, &store->lock_fd, err);

	if (r < 0)
		return r;
	if (snprintf(store->path, sizeof(store->path), "%s/hub.db", folder) >=
	    (int)sizeof(store->path))
		return pic_error_set(err, -ENAMETOOLONG,
				     "the name of the state folder is too long");
	r = pic_database_open(&store->database, store->path, err);
	if (r == 0)
		r = sync_folder(folder, err);
	if (r == 0)
		r = pic_database_load(store->database, load_object, store, err);
	if (r < 0)
		return r;
	store->revision = pic_database_revision(store->database);
	if (store->revision)
		store->revision += REVISION_GAP;
	store->history.floor = store->revision;
	return 0;
}

static int start_writer(struct pic_store *store, struct pic_error *err)
{
	store->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (store->wake_fd < 0)
		return pic_error_errno(err, errno, "cannot make an event descriptor for the store");
	int r = pic_loop_watch(store->loop, store->wake_fd, EPOLLIN, on_wake, store, &store->watch,
			       err);
	if (r < 0)
		return r;
	return pic_writer_new(&store->writer, store->database, store->wake_fd, err);
}

int pic_store_open(struct pic_store **out, struct pic_loop *loop, const char *folder,
		   struct pic_error *err)
{
	struct pic_store *store = calloc(1, sizeof(*store));

	if (!store)
		return pic_error_set(err, -ENOMEM, "no memory for the store");
	store->loop = loop;
	store->wake_fd = store->lock_fd = -1;
	int r = open_database(store, folder, err);
	if (r == 0)
		r = start_writer(store, err);
	if (r < 0) {
		pic_store_close(store);
		return r;
	}
	*out = store;
	return 0;
}

void pic_store_close(struct pic_store *store)
{
	if (!store)
		return;
	if (store->writer)
		pic_store_settle(store);
	pic_writer_free(store->writer);
	pic_database_close(store->database);
	pic_watch_free(store->watch);
	pic_close_fd(&store->wake_fd);
	pic_event_list_free(&store->applied);
	pic_history_free(&store->history);
	for (int i = 0; i < PIC_KIND_COUNT; i++)
		pic_index_free(&store->kinds[i]);
	pic_close_fd(&store->lock_fd);
	free(store);
}

/* Reading. */

struct pic_object *pic_store_get(struct pic_store *store, enum pic_kind kind, const char *space,
				 const char *name)
{
	return pic_index_get(&store->kinds[kind], space, name);
}

struct pic_object *pic_store_next(struct pic_store *store, enum pic_kind kind, const char *space,
				  const struct pic_object *after)
{
	return pic_index_next(&store->kinds[kind], space, after);
}

size_t pic_store_count(struct pic_store *store, enum pic_kind kind)
{
	return store->kinds[kind].count;
}

int64_t pic_store_revision(struct pic_store *store)
{
	return store->revision;
}

bool pic_store_is_settled(const struct pic_store *store)
{
	return store->under_way == 0;
}

void pic_store_facts(struct pic_store *store, struct pic_store_facts *out)
{
	struct pic_writer_facts writer;

	pic_writer_facts(store->writer, &writer);
	*out = (struct pic_store_facts){
		.changes = writer.writes,
		.commits = writer.transactions,
		.failures = writer.failures,
		.commit_seconds = writer.seconds,
		.is_failing = writer.is_failing,
	};
}

int pic_store_listen(struct pic_store *store, enum pic_store_phase phase, pic_store_event_fn *fn,
		     void *data)
{
	if (store->listener_count == PIC_STORE_LISTENERS_MAX)
		return -ENOSPC;
	store->listeners[store->listener_count++] = (struct pic_store_listener){ phase, fn, data };
	return 0;
}

void pic_store_ignore(struct pic_store *store, pic_store_event_fn *fn, const void *data)
{
	for (size_t i = 0; i < store->listener_count; i++) {
		struct pic_store_listener *listener = &store->listeners[i];

		/* The place stays: events may be on their way through the list right now. */
		if (listener->fn == fn && listener->data == data)
			listener->fn = NULL;
	}
}

bool pic_store_replay(struct pic_store *store, int64_t revision, pic_store_event_fn *fn, void *data)
{
	if (revision < store->history.floor || revision > store->revision)
		return false;
	for (size_t i = 0; i < store->history.count; i++) {
		const struct pic_event *event = pic_history_at(&store->history, i);

		if (event->revision > revision)
			fn(data, event->kind, event->before, event->after, event->revision);
	}
	return true;
}

/* The journal, read by the writer so that the loop waits for no disk. */

struct journal_question {
	struct pic_change change; /* first: finish() frees it as one */
	int64_t before, limit;
	struct pic_json *entries;
	pic_store_journal_fn *fn;
	void *data;
};

static int read_journal(struct pic_database *database, void *data, struct pic_error *err)
{
	struct journal_question *question = data;

	return pic_database_journal(database, question->before, question->limit, &question->entries,
				    err);
}

static void journal_read(void *data, int status, const struct pic_error *err)
{
	struct journal_question *question = data;

	question->fn(question->data, status ? NULL : question->entries, err);
	pic_json_unref(question->entries);
}

int pic_store_journal_list(struct pic_store *store, int64_t before, int64_t limit,
			   pic_store_journal_fn *fn, void *data, struct pic_error *err)
{
	struct journal_question *question = calloc(1, sizeof(*question));

	if (!question)
		return pic_error_set(err, -ENOMEM, "no memory to list the journal");
	question->before = before;
	question->limit = limit;
	question->fn = fn;
	question->data = data;
	question->change.store = store;
	question->change.done = journal_read;
	question->change.done_data = question;
	question->change.write.read = read_journal;
	question->change.write.read_data = question;
	store->under_way++;
	pic_writer_submit(store->writer, &question->change.write);
	return 0;
}

int pic_store_journal_verify(struct pic_store *store, struct pic_error *err)
{
	return pic_database_verify(store->path, err);
}

int pic_store_check(const char *folder, struct pic_error *err)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/hub.db", folder) >= (int)sizeof(path))
		return pic_error_set(err, -ENAMETOOLONG,
				     "the name of the state folder is too long");
	if (access(path, F_OK) < 0)
		return pic_error_errno(err, errno, "there is no store %s", path);
	return pic_database_verify(path, err);
}
