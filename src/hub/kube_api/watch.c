/* Watchers, their list, and one listener on the store for all of them. */
#include "hub/kube_api/watch.h"

#include <inttypes.h>
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "hub/kube_api/watch_event.h"
#include "hub/route.h"

/* A client that does not read is let go when this much waits for it. */
#define BACKLOG_MAX (64u * 1024 * 1024)
#define TIMEOUT_MAX_S (24 * 60 * 60)

struct watcher {
	struct pic_kept kept; /* first */
	struct pic_kube_watchers *all;
	struct watcher *previous, *next;
	struct pic_exchange *exchange;
	struct pic_kube_filter filter;
	struct pic_kube_watch_form form;
	bool bookmarks;
	int64_t since; /* events up to this revision are known to the client */
	struct pic_timer *timer;
};

struct pic_kube_watchers {
	struct pic_loop *loop;
	struct pic_store *store;
	struct watcher *first;
	size_t count;
};

static void watcher_free(struct watcher *watcher)
{
	struct pic_kube_watchers *all = watcher->all;

	if (watcher->previous)
		watcher->previous->next = watcher->next;
	else
		all->first = watcher->next;
	if (watcher->next)
		watcher->next->previous = watcher->previous;
	all->count--;
	if (watcher->timer)
		pic_timer_free(watcher->timer);
	pic_kube_filter_free(&watcher->filter);
	free(watcher);
}

static void end(struct watcher *watcher)
{
	struct pic_exchange *exchange = watcher->exchange;

	pic_exchange_set_data(exchange, NULL);
	watcher_free(watcher);
	pic_stream_end(exchange);
}

static void on_gone(struct pic_kept *kept, struct pic_exchange *exchange)
{
	(void)exchange;
	watcher_free((struct watcher *)kept);
}

/* False: the client does not read, or there is no memory; the watcher should end. */
static bool send_line(struct watcher *watcher, const struct pic_buf *line)
{
	return !line->failed && pic_stream_write(watcher->exchange, line->data, line->size);
}

static void on_timeout(void *data)
{
	struct watcher *watcher = data;
	PIC_BUF struct pic_buf line = PIC_BUF_INIT(4096);

	if (watcher->bookmarks) {
		pic_kube_watch_write_bookmark(&watcher->form, watcher->since, false, &line);
		send_line(watcher, &line);
	}
	end(watcher);
}

/* One event to one watcher; false: it should end. */
static bool show(struct watcher *watcher, struct pic_object *before, struct pic_object *after,
		 int64_t revision)
{
	PIC_BUF struct pic_buf line = PIC_BUF_INIT(PIC_KUBE_BODY_MAX);

	if (revision <= watcher->since)
		return true;
	watcher->since = revision;
	if (!pic_kube_watch_write(&watcher->filter, &watcher->form, before, after, revision,
				  pic_clock_wall_ms(), &line))
		return true;
	return send_line(watcher, &line);
}

static void on_durable(void *data, enum pic_kind kind, struct pic_object *before,
		       struct pic_object *after, int64_t revision)
{
	struct pic_kube_watchers *all = data;

	for (struct watcher *watcher = all->first, *next; watcher; watcher = next) {
		next = watcher->next;
		if (watcher->filter.kind == kind && !show(watcher, before, after, revision))
			end(watcher);
	}
}

static void on_replayed(void *data, enum pic_kind kind, struct pic_object *before,
			struct pic_object *after, int64_t revision)
{
	struct watcher *watcher = data;

	/* what cannot be sent now ends the watcher at its next event */
	if (watcher->filter.kind == kind)
		show(watcher, before, after, revision);
}

int pic_kube_watchers_new(struct pic_kube_watchers **out, struct pic_loop *loop,
			  struct pic_store *store, struct pic_error *err)
{
	PIC_FREE struct pic_kube_watchers *all = calloc(1, sizeof(*all));

	if (!all)
		return pic_error_set(err, -ENOMEM, "no memory for the kube API");
	all->loop = loop;
	all->store = store;
	int r = pic_store_listen(store, PIC_STORE_DURABLE, on_durable, all);
	if (r < 0)
		return pic_error_set(err, r, "the kube API cannot listen to the store");
	*out = PIC_STEAL(all);
	return 0;
}

void pic_kube_watchers_reset(struct pic_kube_watchers *watchers)
{
	while (watchers->first)
		end(watchers->first);
}

void pic_kube_watchers_free(struct pic_kube_watchers *watchers)
{
	if (watchers)
		pic_kube_watchers_reset(watchers);
	free(watchers);
}

size_t pic_kube_watchers_count(const struct pic_kube_watchers *watchers)
{
	return watchers->count;
}

/* What the query asks of a watch. */
struct wish {
	int64_t revision; /* 0: begin with what is there */
	long long timeout_s;
	bool bookmarks, initial_bookmark;
};

static bool refuse(struct pic_kube_answer *answer, const char *text)
{
	pic_kube_fail(answer, 422, "Invalid", (struct pic_kube_subject){ 0 },
		      "ListOptions.meta.k8s.io \"\" is invalid: sendInitialEvents: Forbidden: %s",
		      text);
	return false;
}

static bool read_wish(const struct pic_kube_request *request, struct wish *out,
		      struct pic_kube_answer *answer)
{
	const char *revision = pic_kube_query(request, "resourceVersion");
	const char *timeout = pic_kube_query(request, "timeoutSeconds");
	bool initial = pic_kube_query_true(request, "sendInitialEvents");
	const char *match = pic_kube_query(request, "resourceVersionMatch");
	long long number = 0;

	*out = (struct wish){ .bookmarks = pic_kube_query_true(request, "allowWatchBookmarks") };
	if ((*revision && pic_integer_parse(revision, 0, INT64_MAX, &number) < 0) ||
	    (*timeout && pic_integer_parse(timeout, 0, INT32_MAX, &out->timeout_s) < 0)) {
		pic_kube_fail_bad(answer, "resourceVersion and timeoutSeconds must be numbers");
		return false;
	}
	out->revision = number;
	if (out->timeout_s > TIMEOUT_MAX_S)
		out->timeout_s = TIMEOUT_MAX_S;
	if (initial && strcmp(match, "NotOlderThan") != 0)
		return refuse(answer, "resourceVersionMatch must be NotOlderThan");
	if (initial && !out->bookmarks)
		return refuse(answer, "allowWatchBookmarks must be true");
	if (initial)
		out->revision = 0; /* what is there is never older than what was asked for */
	out->initial_bookmark = initial;
	return true;
}

static struct watcher *watcher_new(struct pic_kube_watchers *all,
				   const struct pic_kube_request *request,
				   struct pic_exchange *exchange, const struct wish *wish)
{
	struct watcher *watcher = calloc(1, sizeof(*watcher));

	if (!watcher)
		return NULL;
	*watcher = (struct watcher){
		.kept = { on_gone },
		.all = all,
		.next = all->first,
		.exchange = exchange,
		.form = { request->path.facts, pic_kube_wants_table(request),
			  pic_kube_include(request) },
		.bookmarks = wish->bookmarks,
		.since = wish->revision,
	};
	if (all->first)
		all->first->previous = watcher;
	all->first = watcher;
	all->count++;
	if (wish->timeout_s &&
	    pic_loop_timer(all->loop, on_timeout, watcher, &watcher->timer, NULL) < 0) {
		watcher_free(watcher);
		return NULL;
	}
	if (watcher->timer)
		pic_timer_set(watcher->timer, wish->timeout_s * 1000);
	return watcher;
}

/* What is there now, as ADDED events. */
static bool send_initial(struct watcher *watcher, const struct pic_kube_request *request,
			 const struct pic_kube_world *world, bool bookmark)
{
	const char *space = *watcher->filter.space ? watcher->filter.space : NULL;
	PIC_BUF struct pic_buf lines = PIC_BUF_INIT(PIC_KUBE_BODY_MAX);
	struct pic_object *object = NULL;

	watcher->since = pic_store_revision(watcher->all->store);
	while ((object = world->next(world->data, watcher->filter.kind, space, object)))
		if (pic_kube_filter_match(&watcher->filter, object))
			pic_kube_watch_write_initial(&watcher->form, object, request->now_ms,
						     &lines);
	if (bookmark)
		pic_kube_watch_write_bookmark(&watcher->form, watcher->since, true, &lines);
	return (lines.size == 0 && !lines.failed) || send_line(watcher, &lines);
}

static void ignore(void *data, enum pic_kind kind, struct pic_object *before,
		   struct pic_object *after, int64_t revision)
{
	(void)data, (void)kind, (void)before, (void)after, (void)revision;
}

/* Is everything after this revision still known? */
static bool can_replay(struct pic_store *store, int64_t revision, struct pic_kube_answer *answer)
{
	if (revision == 0 || pic_store_replay(store, revision, ignore, NULL))
		return true;
	pic_kube_fail(answer, 410, NULL, (struct pic_kube_subject){ 0 },
		      "too old resource version: %" PRId64 " (%" PRId64 ")", revision,
		      pic_store_revision(store));
	return false;
}

void pic_kube_watch_start(struct pic_kube_watchers *watchers,
			  const struct pic_kube_request *request,
			  const struct pic_kube_world *world, struct pic_exchange *exchange,
			  struct pic_kube_answer *answer)
{
	PIC_KUBE_FILTER struct pic_kube_filter filter = { 0 };
	struct wish wish;

	if (!pic_kube_filter_read(request, &filter, answer) || !read_wish(request, &wish, answer) ||
	    !can_replay(watchers->store, wish.revision, answer))
		return;
	struct watcher *watcher = watcher_new(watchers, request, exchange, &wish);
	if (!watcher) {
		pic_kube_fail_memory(answer);
		return;
	}
	watcher->filter = filter;
	filter = (struct pic_kube_filter){ 0 };
	pic_exchange_set_data(exchange, watcher);
	pic_stream_start(exchange, 200, "application/json", BACKLOG_MAX);
	if (wish.revision)
		pic_store_replay(watchers->store, wish.revision, on_replayed, watcher);
	else if (!send_initial(watcher, request, world, wish.initial_bookmark))
		end(watcher);
}
