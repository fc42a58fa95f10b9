/*
 * Asking the workloads that have figures of their own: a pipe from each, through the supervisor, read at the same
 * time and for at most a second. Whoever is late is left out this time.
 */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "agent/context.h"
#include "agent/metrics/figures.h"
#include "base/log.h"
#include "workload/driver.h"

#define LIMIT_MS 1000
#define SOURCES_MAX 32
#define SCRAPES_MAX 4 /* at a time; others get what the agent knows itself */

struct source {
	struct pic_scrape *scrape;
	struct pic_workload_name name;
	int fd; /* -1: the supervisor has not answered yet, or all is read */
	struct pic_watch *watch;
	struct pic_buf text;
};

struct pic_scrape {
	struct pic_scrape *next;
	struct pic_agent *agent;
	pic_figures_fn *then; /* NULL: told, or nobody waits any more */
	void *data;
	struct pic_figures *figures;
	struct pic_timer *timer;
	size_t asked;	/* of the supervisor, without an answer yet */
	size_t reading; /* pipes that are open */
	size_t count;
	struct source sources[SOURCES_MAX];
};

static void close_source(struct source *source)
{
	pic_watch_free(PIC_STEAL(source->watch));
	pic_close_fd(&source->fd);
	pic_buf_free(&source->text);
}

static void scrape_free(struct pic_scrape *scrape)
{
	struct pic_scrape **at = &scrape->agent->scrapes;

	while (*at != scrape)
		at = &(*at)->next;
	*at = scrape->next;
	for (size_t i = 0; i < scrape->count; i++)
		close_source(&scrape->sources[i]);
	pic_timer_free(scrape->timer);
	pic_figures_free(scrape->figures);
	free(scrape);
}

/* Tells what has come; the answers of the supervisor that are still due need a place to arrive at. */
static void finish(struct pic_scrape *scrape)
{
	pic_figures_fn *then = PIC_STEAL(scrape->then);

	for (size_t i = 0; i < scrape->count; i++)
		close_source(&scrape->sources[i]);
	scrape->reading = 0;
	if (then)
		then(scrape->agent, scrape->data, scrape->figures);
	if (scrape->asked == 0)
		scrape_free(scrape);
}

static void on_late(void *data)
{
	finish(data);
}

static void look(struct pic_scrape *scrape)
{
	if (scrape->asked == 0 && scrape->reading == 0)
		finish(scrape);
}

static void on_readable(void *data, int fd, uint32_t events)
{
	struct source *source = data;
	struct pic_scrape *scrape = source->scrape;
	char *room = pic_buf_reserve(&source->text, 16384);
	ssize_t size = room ? read(fd, room, 16384) : -1;

	(void)events;
	if (size > 0) {
		pic_buf_commit(&source->text, (size_t)size);
		return;
	}
	if (size < 0 && room && (errno == EAGAIN || errno == EINTR))
		return;
	if (size == 0) /* what is cut off would lie */
		pic_figures_add(scrape->figures, &source->name, source->text.data,
				source->text.size);
	close_source(source);
	scrape->reading--;
	look(scrape);
}

static void on_pipe(void *data, const struct pic_supervisor_message *message, int fds[2])
{
	struct source *source = data;
	struct pic_scrape *scrape = source->scrape;

	scrape->asked--;
	if (scrape->then && message && message->status == 0 && fds[0] >= 0 &&
	    pic_loop_watch(scrape->agent->loop, fds[0], EPOLLIN, on_readable, source,
			   &source->watch, NULL) == 0) {
		source->fd = PIC_STEAL_FD(fds[0]);
		scrape->reading++;
	}
	if (scrape->then)
		look(scrape);
	else if (scrape->asked == 0)
		scrape_free(scrape);
}

static void ask(struct pic_scrape *scrape, const struct pic_ledger_entry *entry)
{
	struct source *source = &scrape->sources[scrape->count++];
	const struct pic_supervisor_call call = {
		.operation = PIC_SUPERVISOR_METRICS,
		.name = &entry->name,
		.answer = on_pipe,
		.data = source,
	};

	*source = (struct source){ .scrape = scrape, .name = entry->name, .fd = -1 };
	source->text = (struct pic_buf)PIC_BUF_INIT(PIC_FIGURES_TEXT_MAX);
	if (pic_supervisor_link_ask(scrape->agent->supervisor, &call, NULL) == 0)
		scrape->asked++;
}

static bool tells(const struct pic_ledger_entry *entry)
{
	const struct pic_driver *driver = pic_driver_find(entry->type);

	return entry->state == PIC_LEDGER_RUNNING && driver && driver->profile.tells_metrics;
}

static size_t under_way(const struct pic_agent *agent)
{
	size_t count = 0;

	for (const struct pic_scrape *scrape = agent->scrapes; scrape; scrape = scrape->next)
		count++;
	return count;
}

static void begin(struct pic_agent *agent, void *data)
{
	struct pic_scrape *scrape = data;

	for (size_t i = 0; i < agent->entry_count && scrape->count < SOURCES_MAX; i++)
		if (tells(&agent->entries[i].ledger))
			ask(scrape, &agent->entries[i].ledger);
	pic_timer_set(scrape->timer, LIMIT_MS);
	look(scrape);
}

void pic_agent_figures(struct pic_agent *agent, pic_figures_fn *then, void *data)
{
	struct pic_scrape *scrape = under_way(agent) < SCRAPES_MAX ? calloc(1, sizeof(*scrape))
								   : NULL;

	if (!scrape) {
		then(agent, data, NULL);
		return;
	}
	scrape->agent = agent;
	scrape->then = then;
	scrape->data = data;
	scrape->next = agent->scrapes;
	agent->scrapes = scrape;
	scrape->figures = pic_figures_new();
	if (!scrape->figures ||
	    pic_loop_timer(agent->loop, on_late, scrape, &scrape->timer, NULL) < 0)
		finish(scrape);
	else
		pic_agent_when_fresh(agent, begin, scrape);
}

void pic_agent_forget_figures(struct pic_agent *agent, const void *data)
{
	for (struct pic_scrape *scrape = agent->scrapes; scrape; scrape = scrape->next)
		if (scrape->data == data)
			scrape->then = NULL; /* its timer, or its last answer, ends it */
}

void pic_agent_scrapes_free(struct pic_agent *agent)
{
	while (agent->scrapes)
		scrape_free(agent->scrapes);
}
