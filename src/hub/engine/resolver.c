#include "hub/engine/resolver.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/utf8.h"
#include "base/version.h"
#include "hub/artifacts/artifacts.h"
#include "hub/engine/engine.h"
#include "hub/engine/events.h"
#include "net/client.h"

#define FETCHES_MAX 8
#define JOBS_MAX 4096
#define REDIRECTS_MAX 5
#define FETCH_TIMEOUT_MS (10 * 60 * 1000)
#define RETRY_FIRST_MS 2000
#define RETRY_LAST_MS (5 * 60 * 1000)

enum job_state {
	JOB_QUEUED,
	JOB_FETCHING,
	JOB_FAILED, /* waits for its next try */
};

struct job {
	struct job *next;
	struct pic_resolver *resolver;
	enum job_state state;
	enum pic_kind kind; /* of the source */
	char *space, *name;
	int64_t generation;
	char component[PIC_NAME_MAX + 1];
	char *url;     /* as the user wrote it */
	char *current; /* after redirects */
	int redirects;
	int fd; /* of the artifact's temporary file while fetching */
	struct pic_request_handle *request;
	struct pic_timer *timer;
	int64_t retry_ms;
	pic_resolver_done_fn *done; /* of pic_resolver_fetch; then there is no source */
	void *data;
};

struct pic_resolver {
	struct pic_hub *hub;
	struct pic_client *client;
	struct job *jobs;
	size_t job_count, fetch_count;
};

static void job_start(struct job *job);

static void job_free(struct job *job)
{
	struct pic_resolver *resolver = job->resolver;

	for (struct job **link = &resolver->jobs; *link; link = &(*link)->next) {
		if (*link == job) {
			*link = job->next;
			resolver->job_count--;
			break;
		}
	}
	if (job->state == JOB_FETCHING)
		resolver->fetch_count--;
	if (job->request)
		pic_client_cancel(job->request);
	if (job->fd >= 0)
		close(job->fd);
	pic_timer_free(job->timer);
	free(job->space);
	free(job->name);
	free(job->url);
	free(job->current);
	free(job);
}

int pic_resolver_open(struct pic_resolver **out, struct pic_hub *hub, struct pic_error *err)
{
	const struct pic_client_settings settings = {
		.user_agent = "piccolo-hub/" PIC_VERSION,
		.deny_link_local = true,
	};
	struct pic_resolver *resolver = calloc(1, sizeof(*resolver));

	if (!resolver)
		return pic_error_set(err, -ENOMEM, "no memory for the resolver of URLs");
	resolver->hub = hub;
	int r = pic_client_new(&resolver->client, hub->loop, &settings, err);

	if (r < 0) {
		free(resolver);
		return r;
	}
	*out = resolver;
	return 0;
}

void pic_resolver_close(struct pic_resolver *resolver)
{
	if (!resolver)
		return;
	while (resolver->jobs)
		job_free(resolver->jobs);
	pic_client_free(resolver->client);
	free(resolver);
}

/* The source as it is now, when it is still the one the job is for. */
static struct pic_object *job_source(const struct job *job)
{
	struct pic_object *source =
		pic_store_get(job->resolver->hub->store, job->kind, job->space, job->name);

	return source && source->generation == job->generation ? source : NULL;
}

static bool is_entry_of(const struct pic_json *entry, const struct job *job)
{
	const char *component = pic_json_get_text(entry, "component");
	const char *url = pic_json_get_text(entry, "url");

	return component && url && strcmp(component, job->component) == 0 &&
	       strcmp(url, job->url) == 0;
}

/* Entries of this generation stay, the job's own is replaced. */
static struct pic_json *resolved_list(const struct pic_object *source, const struct job *job,
				      struct pic_json *entry)
{
	const struct pic_json *old = pic_json_get(pic_object_status(source), "resolved");
	struct pic_json *list = pic_json_new_array();

	for (size_t i = 0; i < pic_json_count(old); i++) {
		struct pic_json *item = pic_json_at(old, i);
		long long generation = 0;

		if (!pic_json_integer(pic_json_get(item, "generation"), &generation) ||
		    generation != job->generation || is_entry_of(item, job))
			continue;
		pic_json_append(list, pic_json_ref(item));
	}
	pic_json_append(list, entry);
	return list;
}

static struct pic_json *with_resolved(const struct pic_object *source, struct pic_json *list)
{
	struct pic_json *json = pic_json_new_object();
	struct pic_json *status = pic_json_copy(pic_object_status(source));

	if (pic_json_type(status) != PIC_JSON_OBJECT) {
		pic_json_unref(status);
		status = pic_json_new_object();
	}
	pic_json_each(source->json, i)
		pic_json_set(json, pic_json_key(i), pic_json_ref(pic_json_value(i)));
	pic_json_set(status, "resolved", list);
	pic_json_set(json, "status", status);
	return json;
}

static void write_entry(const struct job *job, const struct pic_object *source,
			struct pic_json *entry, const struct pic_engine_note *note)
{
	const struct pic_actor actor = { .who = "hub", .where = "", .verb = "resolve" };
	struct pic_store *store = job->resolver->hub->store;
	const struct pic_event_subject subject = { source->kind, source->space, source->name,
						   source->uid };
	struct pic_change *change = pic_change_new(store, &actor);
	struct pic_error err = PIC_ERROR_INIT;
	int r = pic_change_put(change, source->kind,
			       with_resolved(source, resolved_list(source, job, entry)), &err);

	if (r == 0)
		r = pic_events_add(store, change, &subject, note, pic_clock_wall_ms(), &err);
	if (r < 0) {
		pic_log(PIC_LOG_ERROR, "url-not-recorded", PIC_TEXT("url", job->url),
			PIC_TEXT("error", err.text));
		pic_change_drop(change);
		return;
	}
	pic_change_commit(change, NULL, NULL);
}

static struct pic_json *new_entry(const struct job *job)
{
	struct pic_json *entry = pic_json_new_object();

	pic_json_set_text(entry, "component", job->component);
	pic_json_set_text(entry, "url", job->url);
	pic_json_set_integer(entry, "generation", job->generation);
	return entry;
}

static void finish_once(struct job *job, const struct pic_sha256 *digest, const char *failure)
{
	pic_resolver_done_fn *done = job->done;
	void *data = job->data;

	job_free(job); /* first: `done` may forget or fetch */
	done(data, digest, failure);
}

/* Ends the job. */
static void job_succeed(struct job *job, const struct pic_sha256 *digest, uint64_t size)
{
	if (job->done) {
		finish_once(job, digest, NULL);
		return;
	}
	struct pic_object *source = job_source(job);
	struct pic_engine_note note = { .warning = false, .reason = "Resolved" };
	struct pic_json *entry = new_entry(job);
	char text[PIC_SHA256_TEXT];

	pic_sha256_text(digest, text);
	pic_json_set_text(entry, "sha256", text);
	pic_json_set_integer(entry, "size", (long long)size);
	snprintf(note.message, sizeof(note.message), "%s: %.200s is sha256 %s, %llu bytes",
		 job->component, job->url, text, (unsigned long long)size);
	if (source)
		write_entry(job, source, entry, &note);
	else
		pic_json_unref(entry);
	job_free(job);
}

static void retry(void *data)
{
	struct job *job = data;

	if (!job_source(job)) { /* changed or gone; whoever still wants it asks anew */
		job_free(job);
		return;
	}
	job->state = JOB_QUEUED;
	job_start(job);
}

static int64_t next_delay(struct job *job)
{
	int64_t delay = job->retry_ms ? 2 * job->retry_ms : RETRY_FIRST_MS;

	job->retry_ms = delay < RETRY_LAST_MS ? delay : RETRY_LAST_MS;
	/* full jitter, but never at once */
	return job->retry_ms / 2 + (int64_t)pic_random_below((unsigned long long)job->retry_ms);
}

static void start_others(struct pic_resolver *resolver)
{
	for (struct job *job = resolver->jobs; job && resolver->fetch_count < FETCHES_MAX;) {
		struct job *next = job->next;

		if (job->state == JOB_QUEUED) {
			job_start(job);
			next = resolver->jobs; /* the list may have changed */
		}
		job = next;
	}
}

/* The job stays and tries again later; one that is asked for once ends. */
static void job_fail(struct job *job, const char *sentence)
{
	if (job->done) {
		finish_once(job, NULL, sentence);
		return;
	}
	struct pic_object *source = job_source(job);
	struct pic_engine_note note = { .warning = true, .reason = "UrlNotResolved" };
	struct pic_json *entry = new_entry(job);

	if (job->state == JOB_FETCHING)
		job->resolver->fetch_count--;
	job->state = JOB_FAILED;
	if (job->fd >= 0)
		close(job->fd);
	job->fd = -1;
	pic_json_set_text(entry, "error", sentence);
	snprintf(note.message, sizeof(note.message), "%s: %.300s", job->component, sentence);
	note.message[pic_utf8_cut(note.message, strlen(note.message))] = '\0';
	pic_timer_set(job->timer, next_delay(job));
	if (source)
		write_entry(job, source, entry, &note);
	else
		pic_json_unref(entry);
}

static void job_fail_format(struct job *job, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static void job_fail_format(struct job *job, const char *format, ...)
{
	PIC_BUF struct pic_buf text = PIC_BUF_INIT(1024), clean = PIC_BUF_INIT(4096);
	va_list arguments;

	va_start(arguments, format);
	pic_buf_vformat(&text, format, arguments);
	va_end(arguments);
	pic_text_escape(pic_buf_text(&text), text.size, false, &clean);
	job_fail(job, pic_buf_text(&clean));
}

static void keep(struct job *job)
{
	struct pic_sha256 digest;
	struct pic_error err = PIC_ERROR_INIT;
	uint64_t size = 0;
	int fd = job->fd;

	job->fd = -1; /* taken over, failure included */
	int r = pic_artifacts_keep(job->resolver->hub->artifacts, fd, job->url, &digest, &size,
				   &err);

	if (r < 0)
		job_fail_format(job, "%.200s was fetched and cannot be kept: %s", job->url,
				err.text);
	else
		job_succeed(job, &digest, size);
}

static void follow(struct job *job, const char *location)
{
	char *next = NULL;

	if (++job->redirects > REDIRECTS_MAX ||
	    pic_resolver_redirect(job->current, location, &next) < 0) {
		job_fail_format(job, "%.200s is redirected too often or to nowhere", job->url);
		return;
	}
	free(job->current);
	job->current = next;
	job->resolver->fetch_count--;
	job->state = JOB_QUEUED;
	if (job->fd >= 0)
		close(job->fd);
	job->fd = -1;
	job_start(job);
}

static void fetched(void *data, const struct pic_client_answer *answer)
{
	struct job *job = data;
	struct pic_resolver *resolver = job->resolver;

	job->request = NULL;
	if (answer->failure == PIC_CLIENT_TOO_LARGE)
		job_fail_format(job, "%.200s is larger than %llu bytes", job->url,
				PIC_RESOLVER_SIZE_MAX);
	else if (answer->failure != PIC_CLIENT_OK)
		job_fail_format(job, "%.200s cannot be fetched: %s", job->url, answer->error.text);
	else if (answer->status >= 301 && answer->status <= 308 && answer->location &&
		 *answer->location)
		follow(job, answer->location);
	else if (answer->status != 200)
		job_fail_format(job, "%.200s cannot be fetched: the server answers %d", job->url,
				answer->status);
	else
		keep(job);
	start_others(resolver);
}

static void fetch(struct job *job)
{
	struct pic_resolver *resolver = job->resolver;
	struct pic_error err = PIC_ERROR_INIT;

	job->fd = pic_artifacts_temporary(resolver->hub->artifacts, &err);
	if (job->fd < 0) {
		job->fd = -1;
		job_fail_format(job, "%.200s cannot be fetched: %s", job->url, err.text);
		return;
	}
	const struct pic_client_request request = {
		.method = "GET",
		.url = job->current,
		.timeout_ms = FETCH_TIMEOUT_MS,
		.answer_max = PIC_RESOLVER_SIZE_MAX,
		.answer_fd = job->fd,
		.done = fetched,
		.data = job,
	};

	job->state = JOB_FETCHING;
	resolver->fetch_count++;
	if (pic_client_send(resolver->client, &request, &job->request, &err) < 0)
		job_fail_format(job, "%.200s cannot be fetched: %s", job->url, err.text);
}

/* An artifact of our own: by digest, or by the name it was published under. */
static void look_up(struct job *job, const char *name)
{
	struct pic_artifacts *artifacts = job->resolver->hub->artifacts;
	struct pic_sha256 digest;
	uint64_t size = 0;

	if (pic_sha256_parse(name, &digest) < 0 &&
	    pic_artifacts_named(artifacts, name, &digest) < 0)
		job_fail_format(job,
				"this hub has no artifact called %.100s; piccoloctl push brings it",
				name);
	else if (!pic_artifacts_has(artifacts, &digest, &size))
		job_fail_format(job, "this hub has no artifact %.100s; piccoloctl push brings it",
				name);
	else
		job_succeed(job, &digest, size);
}

/* May free the job. */
static void job_start(struct job *job)
{
	struct pic_resolver *resolver = job->resolver;
	const char *name = NULL;

	if (pic_resolver_own_url(job->current, resolver->hub->public_url, &name))
		look_up(job, name);
	else if (pic_resolver_denies(job->current))
		job_fail_format(job,
				"%.200s is not fetched: its address is link-local or unreadable",
				job->current);
	else if (resolver->fetch_count < FETCHES_MAX)
		fetch(job);
	/* else it stays queued until another one ends */
}

static struct job *find_job(struct pic_resolver *resolver, const struct pic_object *source,
			    const char *component, const char *url)
{
	for (struct job *job = resolver->jobs; job; job = job->next)
		if (!job->done && job->kind == source->kind &&
		    strcmp(job->name, source->name) == 0 &&
		    strcmp(job->space, source->space) == 0 &&
		    strcmp(job->component, component) == 0 && strcmp(job->url, url) == 0)
			return job;
	return NULL;
}

/* `source` NULL: for nobody's status. */
static struct job *new_job(struct pic_resolver *resolver, const struct pic_object *source,
			   const char *component, const char *url)
{
	struct job *job = calloc(1, sizeof(*job));
	struct pic_error err = PIC_ERROR_INIT;

	if (!job)
		return NULL;
	job->resolver = resolver;
	job->kind = source ? source->kind : PIC_KIND_COUNT;
	job->generation = source ? source->generation : 0;
	job->fd = -1;
	job->space = strdup(source ? source->space : "");
	job->name = strdup(source ? source->name : "");
	job->url = strdup(url);
	job->current = strdup(url);
	snprintf(job->component, sizeof(job->component), "%s", component);
	if (!job->space || !job->name || !job->url || !job->current ||
	    pic_loop_timer(resolver->hub->loop, retry, job, &job->timer, &err) < 0) {
		job_free(job);
		return NULL;
	}
	job->next = resolver->jobs;
	resolver->jobs = job;
	resolver->job_count++;
	return job;
}

void pic_resolver_want(struct pic_resolver *resolver, const struct pic_object *source,
		       const char *component, const char *url)
{
	struct job *job = find_job(resolver, source, component, url);

	if (job && job->generation == source->generation)
		return;
	if (job)
		job_free(job);
	job = resolver->job_count < JOBS_MAX ? new_job(resolver, source, component, url) : NULL;
	if (!job) {
		pic_log(PIC_LOG_WARNING, "url-not-resolved", PIC_TEXT("url", url),
			PIC_TEXT("error", "too many URLs are waiting"));
		return;
	}
	job_start(job);
}

void pic_resolver_fetch(struct pic_resolver *resolver, const char *url, pic_resolver_done_fn *done,
			void *data)
{
	struct job *job = resolver->job_count < JOBS_MAX ? new_job(resolver, NULL, "", url) : NULL;

	if (!job) {
		done(data, NULL, "too many URLs are waiting to be fetched");
		return;
	}
	job->done = done;
	job->data = data;
	job_start(job);
}

void pic_resolver_forget(struct pic_resolver *resolver, const void *data)
{
	for (struct job *job = resolver->jobs; job;) {
		struct job *next = job->next;

		if (job->done && job->data == data)
			job_free(job);
		job = next;
	}
}

void pic_resolver_artifacts_changed(struct pic_resolver *resolver)
{
	for (struct job *job = resolver->jobs; job;) {
		struct job *next = job->next;
		const char *name = NULL;

		if (job->state == JOB_FAILED &&
		    pic_resolver_own_url(job->current, resolver->hub->public_url, &name))
			retry(job);
		job = next;
	}
}
