#include "agent/supervisor_link.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>

#include "agent/supervisor_socket.h"
#include "base/log.h"

#define RETRY_FIRST_MS 50
#define RETRY_LONGEST_MS 5000
#define ENTRIES_MAX 2048

/* A request that has no answer yet. */
struct pending {
	struct pending *next;
	uint64_t id;
	pic_supervisor_answer_fn *answer;
	void *data;
};

struct pic_supervisor_link {
	struct pic_loop *loop;
	char *run_folder;
	struct pic_supervisor_handler handler;
	int fd; /* -1: the supervisor is away */
	struct pic_watch *watch;
	struct pic_timer *timer;
	int64_t retry_ms;
	bool said_away;
	uint64_t last_id;
	struct pending *pending;
	uint64_t list_id; /* of the LIST under way, 0: none */
	bool list_again;
	struct pic_ledger_entry *entries; /* of that list, as they come */
	size_t entry_count;
	bool bindings_begun; /* the first binding of that list was told */
};

static void forget_list(struct pic_supervisor_link *link)
{
	free(PIC_STEAL(link->entries));
	link->entry_count = 0;
	link->list_id = 0;
	link->bindings_begun = false;
}

static void disconnect(struct pic_supervisor_link *link)
{
	struct pending *pending = PIC_STEAL(link->pending);

	pic_watch_free(link->watch);
	link->watch = NULL;
	pic_close_fd(&link->fd);
	forget_list(link);
	link->list_again = false;
	link->handler.lost(link->handler.data);
	while (pending) {
		struct pending *next = pending->next;
		int none[2] = { -1, -1 };

		if (pending->answer)
			pending->answer(pending->data, NULL, none);
		free(pending);
		pending = next;
	}
	pic_timer_set(link->timer, link->retry_ms);
}

static struct pending *take_pending(struct pic_supervisor_link *link, uint64_t id)
{
	for (struct pending **at = &link->pending; *at; at = &(*at)->next) {
		struct pending *found = *at;

		if (found->id != id)
			continue;
		*at = found->next;
		return found;
	}
	return NULL;
}

/* Room for one more grows by doubling: at powers of two. */
static bool add_entry(struct pic_supervisor_link *link, const struct pic_ledger_entry *entry)
{
	size_t count = link->entry_count;
	struct pic_ledger_entry *grown;

	if (count >= ENTRIES_MAX)
		return false;
	if ((count & (count - 1)) == 0) {
		grown = realloc(link->entries, (count ? 2 * count : 1) * sizeof(*grown));
		if (!grown)
			return false;
		link->entries = grown;
	}
	link->entries[link->entry_count++] = *entry;
	return true;
}

static void list_is_whole(struct pic_supervisor_link *link)
{
	struct pic_ledger_entry *entries = PIC_STEAL(link->entries);
	size_t count = link->entry_count;

	if (!link->bindings_begun)
		link->handler.bound(link->handler.data, NULL, true);
	forget_list(link);
	link->handler.listed(link->handler.data, entries, count);
	free(entries);
	if (link->list_again) {
		link->list_again = false;
		pic_supervisor_link_list(link);
	}
}

static void dispatch_reply(struct pic_supervisor_link *link,
			   const struct pic_supervisor_message *message, int fds[2])
{
	PIC_FREE struct pending *pending = take_pending(link, message->id);

	if (message->id == link->list_id)
		list_is_whole(link);
	else if (pending && pending->answer)
		pending->answer(pending->data, message, fds);
}

static void dispatch(struct pic_supervisor_link *link, const struct pic_supervisor_message *message,
		     int fds[2])
{
	switch (message->kind) {
	case PIC_SUPERVISOR_REPLY:
		dispatch_reply(link, message, fds);
		break;
	case PIC_SUPERVISOR_ENTRY:
		/* half a list would be a lie: ask for it anew */
		if (message->id == link->list_id && !add_entry(link, &message->entry))
			disconnect(link);
		break;
	case PIC_SUPERVISOR_BINDING:
		if (message->id && message->id != link->list_id)
			break;
		link->handler.bound(link->handler.data, &message->binding,
				    message->id && !link->bindings_begun);
		link->bindings_begun |= message->id != 0;
		break;
	case PIC_SUPERVISOR_EVENT:
		link->handler.changed(link->handler.data, &message->entry);
		break;
	default:
		break;
	}
}

static void on_readable(void *data, int fd, uint32_t events)
{
	struct pic_supervisor_link *link = data;

	(void)events;
	/* all that is there, so that one wake-up serves a whole list; a callback may disconnect */
	while (link->fd == fd) {
		struct pic_supervisor_message message;
		int fds[2];
		int r = pic_supervisor_receive(fd, &message, fds);

		if (r == -EAGAIN || r == -EINTR)
			return;
		if (r <= 0) {
			pic_log(PIC_LOG_WARNING, "supervisor-lost");
			disconnect(link);
			return;
		}
		dispatch(link, &message, fds);
		pic_close_fd(&fds[0]);
		pic_close_fd(&fds[1]);
	}
}

static int send_call(struct pic_supervisor_link *link, const struct pic_supervisor_call *call,
		     uint64_t *id, struct pic_error *err)
{
	struct pending *pending;
	int r;

	if (link->fd < 0)
		return pic_error_set(err, -ENOTCONN, "the supervisor is away");
	pending = calloc(1, sizeof(*pending));
	if (!pending)
		return pic_error_set(err, -ENOMEM, "no memory for a request to the supervisor");
	pending->id = ++link->last_id;
	pending->answer = call->answer;
	pending->data = call->data;
	r = pic_supervisor_send(link->fd, pending->id, call, err);
	if (r < 0) {
		free(pending);
		return r;
	}
	pending->next = link->pending;
	link->pending = pending;
	*id = pending->id;
	return 0;
}

int pic_supervisor_link_ask(struct pic_supervisor_link *link,
			    const struct pic_supervisor_call *call, struct pic_error *err)
{
	uint64_t id;

	return send_call(link, call, &id, err);
}

void pic_supervisor_link_list(struct pic_supervisor_link *link)
{
	struct pic_supervisor_call call = { .operation = PIC_SUPERVISOR_LIST };
	uint64_t id;

	if (link->list_id) {
		link->list_again = true; /* what is under way may be older than the question */
		return;
	}
	if (send_call(link, &call, &id, NULL) == 0)
		link->list_id = id;
}

static void try_connect(void *data)
{
	struct pic_supervisor_link *link = data;
	struct pic_supervisor_call subscribe = { .operation = PIC_SUPERVISOR_SUBSCRIBE };
	struct pic_error err = PIC_ERROR_INIT;
	int fd = pic_supervisor_connect(link->run_folder, &err);

	if (fd >= 0 &&
	    pic_loop_watch(link->loop, fd, EPOLLIN, on_readable, link, &link->watch, &err) == 0) {
		link->fd = fd;
		link->retry_ms = RETRY_FIRST_MS;
		link->said_away = false;
		pic_log(PIC_LOG_INFO, "supervisor-found");
		pic_supervisor_link_ask(link, &subscribe, NULL);
		pic_supervisor_link_list(link);
		return;
	}
	pic_close_fd(&fd);
	if (!link->said_away)
		pic_log(PIC_LOG_WARNING, "supervisor-away", PIC_TEXT("why", err.text));
	link->said_away = true;
	pic_timer_set(link->timer, link->retry_ms);
	link->retry_ms = 2 * link->retry_ms < RETRY_LONGEST_MS ? 2 * link->retry_ms
							       : RETRY_LONGEST_MS;
}

int pic_supervisor_link_new(struct pic_supervisor_link **out, struct pic_loop *loop,
			    const char *run_folder, const struct pic_supervisor_handler *handler,
			    struct pic_error *err)
{
	struct pic_supervisor_link *link = calloc(1, sizeof(*link));

	if (!link)
		return pic_error_set(err, -ENOMEM, "no memory for the supervisor's link");
	link->loop = loop;
	link->handler = *handler;
	link->fd = -1;
	link->retry_ms = RETRY_FIRST_MS;
	link->run_folder = strdup(run_folder);
	if (!link->run_folder || pic_loop_timer(loop, try_connect, link, &link->timer, err) < 0) {
		pic_supervisor_link_free(link);
		return pic_error_set(err, -ENOMEM, "no memory for the supervisor's link");
	}
	pic_timer_set(link->timer, 0);
	*out = link;
	return 0;
}

void pic_supervisor_link_free(struct pic_supervisor_link *link)
{
	if (!link)
		return;
	pic_watch_free(link->watch);
	pic_timer_free(link->timer);
	pic_close_fd(&link->fd);
	while (link->pending) {
		struct pending *pending = link->pending;
		int none[2] = { -1, -1 };

		link->pending = pending->next;
		if (pending->answer)
			pending->answer(pending->data, NULL, none);
		free(pending);
	}
	free(link->entries);
	free(link->run_folder);
	free(link);
}

bool pic_supervisor_link_is_up(const struct pic_supervisor_link *link)
{
	return link->fd >= 0;
}
